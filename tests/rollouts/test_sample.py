import re
from dataclasses import replace
from pathlib import Path

import pytest

from callwright.chat.model import ChatModel, Sampling
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import CallwrightError, DataError, EndpointUnusableError, ProviderError
from callwright.params import Params
from callwright.records import Chain, Usage
from callwright.rollouts.journal import JournalEntry, find_entry, open_journal
from callwright.rollouts.plan import Attempt, plan_attempts
from callwright.rollouts.run import roll_out_teacher
from callwright.rollouts.sample import Failure, RolloutResult, run_attempts
from callwright.standins.oracle.app import create_app
from callwright.tasks import TASKS, Tasks
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from tests.fakes import NO_MISTAKES, ScriptedChat, problem, teacher
from tests.working_tree import ROOT

MODEL = {"name": "scripted", "base_url": "nowhere"}
FIRST, SECOND = problem(id="one", question="One?"), problem(id="two", question="Two?")
SOLVED = ("add(2, 3)", "answer(5)")


def plan_for(*problems, chains: int = 1, tasks: Tasks = TASKS) -> list[Attempt]:
    return plan_attempts(problems, tasks, MODEL, chains, Sampling())


async def run(attempts: list[Attempt], model: ChatModel, path: Path, **options) -> tuple[list[Chain], RolloutResult]:
    """The journaled chains after a run, and how it ended."""
    with open_journal(path) as journal:
        result = await run_attempts(attempts, model, journal, options.pop("concurrency", 1), **options)
        entries = (find_entry(attempt, journal) for attempt in attempts)
        return [entry.chain for entry in entries if entry], result


async def test_a_second_run_sends_no_requests(tmp_path):
    attempts = plan_for(FIRST, SECOND)
    first, _ = await run(attempts, ScriptedChat(*SOLVED, *SOLVED), tmp_path / "journal.jsonl")
    model = ScriptedChat()
    assert await run(attempts, model, tmp_path / "journal.jsonl") == (first, RolloutResult())
    assert model.requests == []
    assert [chain.id for chain in first] == ["one/scripted/0", "two/scripted/0"]


async def test_a_killed_run_continues_where_it_stopped(tmp_path):
    journal = tmp_path / "journal.jsonl"
    await run(plan_for(FIRST), ScriptedChat(*SOLVED), journal)
    with journal.open("ab") as file:
        file.write(b'{"key": "torn')
    model = ScriptedChat(*SOLVED)
    chains, _ = await run(plan_for(FIRST, SECOND), model, journal)
    assert len(chains) == 2
    assert {messages[1]["content"] for messages in model.requests} == {"Two?"}


async def test_chains_are_in_the_order_of_the_plan(tmp_path):
    journal = tmp_path / "journal.jsonl"
    await run(plan_for(SECOND), ScriptedChat(*SOLVED), journal)
    chains, _ = await run(plan_for(FIRST, SECOND), ScriptedChat(*SOLVED), journal)
    assert [chain.problem_id for chain in chains] == ["one", "two"]


async def test_a_journal_without_request_times_can_be_read(tmp_path):
    journal = tmp_path / "journal.jsonl"
    await run(plan_for(FIRST), ScriptedChat(*SOLVED), journal)
    untimed = re.sub(r',"request_(s|usage)":\[[^]]*\]', "", journal.read_text())
    assert "request_" not in untimed
    journal.write_text(untimed)
    chains, _ = await run(plan_for(FIRST), ScriptedChat(), journal)
    assert len(chains) == 1


async def test_a_problem_that_occurs_twice_is_sampled_once(tmp_path):
    chains, _ = await run(plan_for(FIRST, FIRST), ScriptedChat(*SOLVED), tmp_path / "journal.jsonl", concurrency=2)
    assert len(chains) == 2
    assert chains[0] == chains[1]


async def test_many_attempts_in_flight_give_the_same_chains_as_one_at_a_time(tmp_path):
    problems = synthetic_problems({"train": 6}, held_out_test=0, seed=1)
    attempts = plan_attempts(problems, TASKS, MODEL, 2, Sampling(temperature=0.7))
    results = []
    for concurrency in (1, 8):
        model = EndpointChat(teacher(), create_app(problems, {**NO_MISTAKES, "guessed_answer": 0.5}))
        results.append(await run(attempts, model, tmp_path / f"{concurrency}.jsonl", concurrency=concurrency))
        await model.close()
    assert results[0] == results[1]
    assert [chain.id for chain in results[0][0]] == [attempt.id for attempt in attempts]


async def test_an_attempt_that_fails_is_a_failure_and_not_a_chain(tmp_path):
    journal = tmp_path / "journal.jsonl"
    model = ScriptedChat("add(2, 3)", ProviderError("gone for good", "gone"), *SOLVED)
    chains, result = await run(plan_for(FIRST, SECOND), model, journal)
    assert result == RolloutResult([Failure("one/scripted/0", "gone", "gone for good")])
    assert [chain.problem_id for chain in chains] == ["two"]
    assert len(journal.read_text().splitlines()) == 1  # a failure is not journaled, so that the next run repeats it


async def test_the_next_run_repeats_a_failed_attempt(tmp_path):
    journal = tmp_path / "journal.jsonl"
    await run(plan_for(FIRST), ScriptedChat(ProviderError("gone")), journal)
    chains, result = await run(plan_for(FIRST), ScriptedChat(*SOLVED), journal)
    assert (len(chains), result) == (1, RolloutResult())


async def test_no_attempt_starts_after_more_failures_than_allowed(tmp_path):
    attempts = plan_for(FIRST, chains=5)
    model = ScriptedChat(ProviderError("gone"), *SOLVED, ProviderError("gone"))
    chains, result = await run(attempts, model, tmp_path / "journal.jsonl", max_failures=1)
    assert (len(chains), len(result.failures), result.not_run) == (1, 2, 2)
    assert model._replies == []


async def test_an_unusable_endpoint_stops_the_run_and_finished_attempts_are_kept(tmp_path):
    journal = tmp_path / "journal.jsonl"
    model = ScriptedChat(*SOLVED, EndpointUnusableError("wrong key"))
    with pytest.raises(EndpointUnusableError, match="wrong key"):
        await run(plan_for(FIRST, chains=5), model, journal)
    assert len(model.requests) == 3  # two for the first attempt, one for the second, none for the others
    assert len(journal.read_text().splitlines()) == 1


async def test_on_finished_is_called_with_every_attempt_that_is_over(tmp_path):
    answers: list[tuple[str, str | None]] = []
    model = ScriptedChat(*SOLVED, ProviderError("gone"))
    await run(
        plan_for(FIRST, SECOND),
        model,
        tmp_path / "journal.jsonl",
        on_finished=lambda attempt, chain: answers.append((attempt.problem.id, chain and chain.answer)),
    )
    assert answers == [("one", "5"), ("two", None)]


async def test_an_attempt_uses_its_protocol(tmp_path):
    attempts = plan_attempts([FIRST], TASKS, MODEL, 1, Sampling(), "native")
    chains, _ = await run(attempts, ScriptedChat(*SOLVED), tmp_path / "journal.jsonl")
    assert chains[0].protocol == "native"


async def test_a_callwright_error_reaches_the_stage_unchanged(tmp_path):
    with pytest.raises(CallwrightError, match="disk full"):
        await run(plan_for(FIRST), ScriptedChat(DataError("disk full")), tmp_path / "journal.jsonl")


async def test_a_reply_with_half_a_character_does_not_end_the_run(tmp_path):
    model = ScriptedChat(r"add('\ud800', 1)", *SOLVED)
    chains, _ = await run(plan_for(FIRST), model, tmp_path / "journal.jsonl")
    assert chains[0].answer == "5"


async def test_the_journal_has_the_seconds_and_tokens_of_every_request(tmp_path):
    attempts = plan_for(FIRST)
    await run(attempts, ScriptedChat(*SOLVED), tmp_path / "journal.jsonl")
    with open_journal(tmp_path / "journal.jsonl") as journal:
        entry = journal[attempts[0].key]
    assert isinstance(entry, JournalEntry)
    assert len(entry.request_s) == 2
    assert all(0 <= seconds < 60 for seconds in entry.request_s)
    assert entry.request_usage == (Usage(10, 2), Usage(10, 2))


def test_an_oracle_without_solutions_is_an_error_before_the_first_request(tmp_path):
    attempts = plan_for(FIRST, replace(SECOND, solution=()))
    rollout = Params.load(ROOT / "params.yaml").rollout
    with (
        open_journal(tmp_path / "journal.jsonl") as journal,
        pytest.raises(ProviderError, match="which 1 problems do not have, such as two: name an endpoint"),
    ):
        roll_out_teacher([FIRST, SECOND], TASKS, teacher(), attempts, rollout, journal)
