"""The real openai client against the oracle teacher: in process, and over a port."""

from collections import Counter
from contextlib import asynccontextmanager

import pytest

from callwright.agent.loop import solve
from callwright.agent.protocol import NATIVE, PROTOCOLS, TEXT
from callwright.chat.model import Sampling
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import ProviderError
from callwright.records import Chain, Problem, Protocol
from callwright.standins.oracle.app import create_app
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from callwright.tasks.entailment.synthetic import entailment_problems
from callwright.tasks.translation.synthetic.problems import translation_problems
from tests.fakes import NO_MISTAKES, problem, teacher


def problems_of_all_tasks(train: int, held_out: int) -> list[Problem]:
    generators = (synthetic_problems, translation_problems, entailment_problems)
    return [problem for generate in generators for problem in generate({"train": train}, held_out, 7)]


@asynccontextmanager
async def oracle(problems, mistakes=NO_MISTAKES, seed=0):
    model = EndpointChat(teacher(), create_app(problems, mistakes, seed))
    yield model
    await model.close()


async def attempt(model: EndpointChat, oracle_problem: Problem, seed: int = 0, protocol: Protocol = "text") -> Chain:
    return await solve(oracle_problem, TASKS[oracle_problem.task], model, Sampling(seed=seed), PROTOCOLS[protocol])


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_oracle_without_mistakes_solves_every_synthetic_problem_with_its_gold_chain(protocol):
    problems = problems_of_all_tasks(train=60, held_out=20)
    assert Counter(oracle_problem.task for oracle_problem in problems) == dict.fromkeys(
        ("arithmetic", "translation", "entailment"), 80
    )
    async with oracle(problems) as model:
        for oracle_problem in problems:
            chain = await attempt(model, oracle_problem, protocol=protocol)
            assert chain.outcome == "answered"
            assert chain.protocol == protocol
            assert TASKS[oracle_problem.task].grade(oracle_problem, chain.answer) == "right"
            assert tuple(step.call for step in chain.steps) == oracle_problem.solution


async def test_an_attempt_makes_the_same_mistake_in_both_protocols():
    problems = problems_of_all_tasks(train=24, held_out=0)
    shares = dict.fromkeys(NO_MISTAKES, 1 / len(NO_MISTAKES))
    async with oracle(problems, shares) as model:
        for oracle_problem in problems:
            for seed in range(3):
                text, native = [await attempt(model, oracle_problem, seed, protocol) for protocol in PROTOCOLS]
                assert [(step.call, step.observation) for step in text.steps] == [
                    (step.call, step.observation) for step in native.steps
                ]
                assert (text.outcome, text.answer) == (native.outcome, native.answer)


async def test_a_malformed_tool_call_has_broken_arguments():
    async with oracle([problem()], {**NO_MISTAKES, "malformed_call": 1.0}) as model:
        chain = await attempt(model, problem(), protocol="native")
    assert chain.steps[0].thought == '{"name": "add", "arguments": {"a": 2, "b": 3}'
    assert [step.error.fault if step.error else None for step in chain.steps] == ["syntax", None, None]


async def test_an_unknown_question_is_a_provider_error():
    async with oracle([problem()]) as model:
        with pytest.raises(ProviderError, match="answered 422"):
            await attempt(model, problem(question="Why?"))


async def test_a_problem_without_a_solution_is_unknown():
    unsolved = Problem("p", "arithmetic", "Why?", "5", (), "test", "group", "train")
    async with oracle([unsolved]) as model:
        with pytest.raises(ProviderError, match="answered 422"):
            await attempt(model, unsolved)


async def test_the_seed_of_the_request_identifies_the_attempt():
    mistakes = {**NO_MISTAKES, "guessed_answer": 0.5}
    async with oracle([problem()], mistakes) as model:
        chains = [await attempt(model, problem(), seed) for seed in range(20)]
        assert [await attempt(model, problem(), seed) for seed in range(20)] == chains
    lengths = Counter(len(chain.steps) for chain in chains)
    assert set(lengths) == {1, 2}  # guessed at once; add, then answer


async def test_the_seed_of_the_oracle_changes_its_mistakes():
    mistakes = {**NO_MISTAKES, "guessed_answer": 0.5}
    lengths = []
    for seed in (0, 1):
        async with oracle([problem()], mistakes, seed) as model:
            lengths.append([len((await attempt(model, problem(), request_seed)).steps) for request_seed in range(20)])
    assert lengths[0] != lengths[1]


async def test_usage_is_counted_in_words():
    async with oracle([problem(question="Two and three?")]) as model:
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Two and three?"}]
        reply = await model.reply(messages, [], Sampling())
    assert reply.text == "add(a=2, b=3)"
    assert reply.usage.prompt_tokens == 5  # Be brief. Two and three?
    assert reply.usage.completion_tokens == 2  # add(a=2, b=3)


async def test_the_previous_prompt_of_a_conversation_counts_as_cached():
    contents = ["Be brief.", "Two and three?", "add(2, 3)", "Result: 5"]  # 2 and 3 words: the previous prompt
    roles = ["system", "user", "assistant", "user"]
    messages = [{"role": role, "content": text} for role, text in zip(roles, contents, strict=True)]
    async with oracle([problem(question="Two and three?")]) as model:
        assert (await model.reply(messages[:2], [], Sampling())).usage.cached_tokens == 0
        usage = (await model.reply(messages, [], Sampling())).usage
    assert (usage.prompt_tokens, usage.cached_tokens) == (9, 5)  # add(2, 3) and Result: 5 are two words each


async def test_usage_includes_tools_and_tool_calls():
    async with oracle([problem(question="Two and three?")]) as model:
        messages, tools = NATIVE.render(TASKS["arithmetic"], "Two and three?", ())
        with_tools = await model.reply(messages, tools, Sampling())
        without = await model.reply(messages, [], Sampling())
    assert with_tools.text == ""
    assert with_tools.tool_calls[0].name == "add"
    assert with_tools.usage.completion_tokens == 5  # add {"a": 2, "b": 3}
    assert with_tools.usage.prompt_tokens > without.usage.prompt_tokens + 100


async def test_the_oracle_answers_a_probe():
    known = problem()
    async with oracle([known]) as model:
        for protocol in PROTOCOLS.values():
            await model.probe(*protocol.render(TASKS["arithmetic"], known.question, ()))


async def test_a_request_that_is_not_a_chat_completion_gets_status_400():
    import httpx2

    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(create_app([], {})), base_url="http://oracle.invalid")
    async with client:
        for body in (b"", b"[]", b"{}", b'{"messages": []}', b'{"messages": [{"role": "system", "content": ""}]}'):
            response = await client.post("/v1/chat/completions", content=body)
            assert response.status_code == 400
            assert response.json()["error"]["message"] == "the request is not a chat completion with text messages"


async def test_the_oracle_gives_the_same_answers_over_a_port_and_in_process(serve, monkeypatch):
    problems = synthetic_problems({"train": 5}, held_out_test=0, seed=7)
    app = create_app(problems, {**NO_MISTAKES, "wrong_operand": 0.5})
    monkeypatch.setenv("TEACHER_API_KEY", "any")
    served = EndpointChat(teacher(base_url=serve(app)))
    await served.probe(*TEXT.render(TASKS["arithmetic"], problems[0].question, ()))
    in_process = EndpointChat(teacher(), app)
    for oracle_problem in problems:
        assert await attempt(served, oracle_problem) == await attempt(in_process, oracle_problem)
    await served.close()
    await in_process.close()
