"""The real openai client against the oracle teacher: in process, and over a port."""

from collections import Counter
from contextlib import asynccontextmanager

import pytest

from callwright.agent.loop import solve
from callwright.chat.endpoint import EndpointChat
from callwright.chat.model import Sampling
from callwright.chat.oracle import create_app
from callwright.errors import ProviderError
from callwright.problems.synthetic import synthetic_problems
from callwright.records import Chain, Problem
from callwright.tasks import TASKS
from tests.fakes import NO_MISTAKES, problem, teacher

TASK = TASKS["arithmetic"]


@asynccontextmanager
async def oracle(problems, mistakes=NO_MISTAKES, seed=0):
    model = EndpointChat(teacher(), create_app(problems, mistakes, seed))
    yield model
    await model.close()


async def attempt(model: EndpointChat, own: Problem, seed: int = 0) -> Chain:
    return await solve(own, TASKS[own.task], model, Sampling(seed=seed))


async def test_a_faultless_oracle_solves_every_synthetic_problem_with_its_gold_chain():
    problems = synthetic_problems({"train": 40}, held_out_test=10, seed=7).problems
    assert len(problems) == 50
    async with oracle(problems) as model:
        for own in problems:
            chain = await attempt(model, own)
            assert chain.outcome == "answered"
            assert TASK.grade(own, chain.answer) == "right"
            assert tuple(step.call for step in chain.steps) == own.solution


async def test_a_question_the_oracle_does_not_know_is_a_provider_error():
    async with oracle([problem()]) as model:
        with pytest.raises(ProviderError, match="answered 422"):
            await attempt(model, problem(question="Why?"))


async def test_a_problem_without_a_solution_is_not_known():
    unsolved = Problem("p", "arithmetic", "Why?", "5", (), "test", "group", "train")
    async with oracle([unsolved]) as model:
        with pytest.raises(ProviderError, match="answered 422"):
            await attempt(model, unsolved)


async def test_an_attempt_is_told_by_its_seed():
    mistakes = {**NO_MISTAKES, "guessed_answer": 0.5}
    async with oracle([problem()], mistakes) as model:
        chains = [await attempt(model, problem(), seed) for seed in range(20)]
        assert [await attempt(model, problem(), seed) for seed in range(20)] == chains
    lengths = Counter(len(chain.steps) for chain in chains)
    assert set(lengths) == {1, 2}  # guessed at once; add, then answer


async def test_the_oracles_own_seed_changes_its_mistakes():
    mistakes = {**NO_MISTAKES, "guessed_answer": 0.5}
    lengths = []
    for seed in (0, 1):
        async with oracle([problem()], mistakes, seed) as model:
            lengths.append([len((await attempt(model, problem(), own)).steps) for own in range(20)])
    assert lengths[0] != lengths[1]


async def test_usage_is_counted_in_words():
    async with oracle([problem(question="Two and three?")]) as model:
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Two and three?"}]
        reply = await model.reply(messages, [], Sampling())
    assert reply.text == "add(a=2, b=3)"
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (
        5,
        2,
    )  # Be brief. Two and three? / add(a=2, b=3)


async def test_the_probe_finds_the_oracle():
    async with oracle([problem()]) as model:
        await model.probe()


async def test_what_is_no_chat_completion_is_answered_400():
    import httpx2

    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(create_app([], {})), base_url="http://oracle.invalid")
    async with client:
        for body in (b"", b"[]", b"{}", b'{"messages": []}', b'{"messages": [{"role": "system", "content": ""}]}'):
            answered = await client.post("/v1/chat/completions", content=body)
            assert answered.status_code == 400
            assert answered.json()["error"]["message"] == "the request is not a chat completion with text messages"


async def test_the_oracle_answers_over_a_port_as_it_does_in_process(serve, monkeypatch):
    problems = synthetic_problems({"train": 5}, held_out_test=0, seed=7).problems
    app = create_app(problems, {**NO_MISTAKES, "wrong_operand": 0.5})
    monkeypatch.setenv("TEACHER_API_KEY", "any")
    served = EndpointChat(teacher(base_url=serve(app)))
    await served.probe()
    in_process = EndpointChat(teacher(), app)
    for own in problems:
        assert await attempt(served, own) == await attempt(in_process, own)
    await served.close()
    await in_process.close()
