from dataclasses import replace
from pathlib import Path

import pytest

from callwright.chat.endpoint import EndpointChat
from callwright.chat.model import ChatModel, Sampling
from callwright.chat.oracle import create_app
from callwright.errors import CallwrightError, DataError, ProviderError
from callwright.problems.synthetic import synthetic_problems
from callwright.rollouts.sample import Attempt, Failure, open_journal, plan, run_attempts
from callwright.rollouts.summary import refuse_failures
from tests.fakes import NO_MISTAKES, ScriptedChat, problem, teacher

MODEL = {"name": "scripted", "base_url": "nowhere"}
ONE, TWO = problem(id="one", question="One?"), problem(id="two", question="Two?")
SOLVED = ("add(2, 3)", "answer(5)")


def planned(*problems, chains: int = 1, model=MODEL, **sampling) -> list[Attempt]:
    return plan(problems, model, chains, Sampling(**sampling))


async def run(attempts: list[Attempt], model: ChatModel, journal: Path, concurrency: int = 1):
    opened = open_journal(journal)
    try:
        return await run_attempts(attempts, model, opened, concurrency)
    finally:
        opened.close()


async def test_a_second_run_asks_the_model_nothing(tmp_path):
    attempts = planned(ONE, TWO)
    first = await run(attempts, ScriptedChat(*SOLVED, *SOLVED), tmp_path / "journal.jsonl")
    silent = ScriptedChat()
    assert await run(attempts, silent, tmp_path / "journal.jsonl") == first
    assert silent.asked == []
    assert [chain.id for chain in first[0]] == ["one/scripted/0", "two/scripted/0"]


async def test_a_killed_run_goes_on_where_it_was(tmp_path):
    journal = tmp_path / "journal.jsonl"
    await run(planned(ONE), ScriptedChat(*SOLVED), journal)
    with journal.open("ab") as file:
        file.write(b'{"key": "torn')
    model = ScriptedChat(*SOLVED)
    chains, _ = await run(planned(ONE, TWO), model, journal)
    assert len(chains) == 2
    assert {asked[1]["content"] for asked in model.asked} == {"Two?"}


async def test_chains_come_in_the_plans_order_and_not_in_that_of_finishing(tmp_path):
    journal = tmp_path / "journal.jsonl"
    await run(planned(TWO), ScriptedChat(*SOLVED), journal)
    chains, _ = await run(planned(ONE, TWO), ScriptedChat(*SOLVED), journal)
    assert [chain.problem_id for chain in chains] == ["one", "two"]


async def test_many_attempts_in_flight_give_the_same_chains_as_one_at_a_time(tmp_path):
    problems = synthetic_problems({"train": 6}, held_out_test=0, seed=1).problems
    attempts = planned(*problems, chains=2, temperature=0.7)
    results = []
    for concurrency in (1, 8):
        model = EndpointChat(teacher(), create_app(problems, {**NO_MISTAKES, "guessed_answer": 0.5}))
        results.append(await run(attempts, model, tmp_path / f"{concurrency}.jsonl", concurrency))
        await model.close()
    assert results[0] == results[1]
    assert [chain.id for chain in results[0][0]] == [attempt.id for attempt in attempts]


async def test_a_lost_attempt_is_a_failure_and_not_a_chain(tmp_path):
    journal = tmp_path / "journal.jsonl"
    model = ScriptedChat("add(2, 3)", ProviderError("gone"), *SOLVED)
    chains, failures = await run(planned(ONE, TWO), model, journal)
    assert failures == [Failure("one/scripted/0", "gone")]
    assert [chain.problem_id for chain in chains] == ["two"]
    assert len(journal.read_text().splitlines()) == 1  # a failure is not journaled, so that it is tried again


async def test_a_failed_attempt_is_tried_again_by_the_next_run(tmp_path):
    journal = tmp_path / "journal.jsonl"
    await run(planned(ONE), ScriptedChat(ProviderError("gone")), journal)
    chains, failures = await run(planned(ONE), ScriptedChat(*SOLVED), journal)
    assert (len(chains), failures) == (1, [])


async def test_progress_counts_every_attempt(tmp_path):
    seen: list[tuple[int, int]] = []
    opened = open_journal(tmp_path / "journal.jsonl")
    model = ScriptedChat(*SOLVED, ProviderError("gone"))
    await run_attempts(planned(ONE, TWO), model, opened, 1, lambda done, total: seen.append((done, total)))
    opened.close()
    assert seen == [(1, 2), (2, 2)]


def test_a_key_stays_the_same_when_nothing_that_matters_changes():
    same_model = {"base_url": "nowhere", "name": "scripted"}  # in another order
    assert planned(ONE) == planned(ONE, model=same_model)
    assert planned(TWO, ONE)[1].key == planned(ONE)[0].key
    assert planned(ONE, chains=1)[0].key == planned(ONE, chains=2)[0].key
    other_split = replace(ONE, split="dev", answer="6")  # unseen by the model
    assert planned(other_split)[0].key == planned(ONE)[0].key


@pytest.mark.parametrize(
    "changed",
    [
        planned(ONE, temperature=0.7),
        planned(ONE, top_p=0.9),
        planned(ONE, max_tokens=99),
        planned(ONE, max_steps=5),
        planned(ONE, seed=1),
        planned(ONE, model={**MODEL, "name": "other"}),
        planned(ONE, model={**MODEL, "base_url": "elsewhere"}),
        planned(TWO),
        planned(replace(ONE, question="One, really?")),
    ],
)
def test_a_key_changes_with_whatever_determines_the_chain(changed):
    assert changed[0].key != planned(ONE)[0].key


def test_a_key_depends_on_the_protocol():
    text, native = (plan([ONE], MODEL, 1, Sampling(), protocol) for protocol in ("text", "native"))
    assert text == planned(ONE)
    assert text[0].key != native[0].key
    assert text[0].id == native[0].id


async def test_an_attempt_is_made_by_its_protocol(tmp_path):
    attempts = plan([ONE], MODEL, 1, Sampling(), "native")
    chains, _ = await run(attempts, ScriptedChat(*SOLVED), tmp_path / "journal.jsonl")
    assert chains[0].protocol == "native"


def test_every_attempt_has_its_own_id_seed_and_key():
    attempts = planned(ONE, TWO, chains=3, seed=7)
    assert [attempt.id for attempt in attempts] == [f"{name}/scripted/{n}" for name in ("one", "two") for n in range(3)]
    assert [attempt.sampling.seed for attempt in attempts[:3]] == [7_000, 7_001, 7_002]
    assert len({attempt.key for attempt in attempts}) == 6


def test_too_many_failures_stop_the_run_with_the_commonest_reason():
    lost = [Failure("a", "gone"), Failure("b", "gone"), Failure("c", "busy")]
    refuse_failures(lost, attempts=100, limit=0.03)  # three of a hundred are just allowed
    with pytest.raises(ProviderError, match=r"^3 of 100 attempts failed \(limit 2%\); 2 times: gone; "):
        refuse_failures(lost, attempts=100, limit=0.02)


async def test_an_error_of_ours_reaches_the_stage_as_itself(tmp_path):
    with pytest.raises(CallwrightError, match="disk full"):
        await run(planned(ONE), ScriptedChat(DataError("disk full")), tmp_path / "journal.jsonl")


async def test_a_reply_with_half_a_character_in_it_does_not_end_the_run(tmp_path):
    model = ScriptedChat(r"add('\ud800', 1)", *SOLVED)
    chains, _ = await run(planned(ONE), model, tmp_path / "journal.jsonl")
    assert chains[0].answer == "5"
