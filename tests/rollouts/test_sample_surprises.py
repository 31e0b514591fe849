"""Unexpected exceptions in a rollout: each costs one attempt or no chain at all, and is counted."""

from dataclasses import replace

import pytest

from callwright.errors import ProviderError
from callwright.functions.function import function
from callwright.functions.toolbox import Toolbox
from callwright.records import Problem
from callwright.rollouts.budget import Meter
from callwright.rollouts.journal import open_journal
from callwright.rollouts.progress import RolloutProgress
from callwright.rollouts.sample import RolloutResult, run_attempts
from callwright.rollouts.summary import publish, raise_if_too_many_failures
from callwright.storage.jsonl import write
from callwright.surprises import SurpriseLog
from callwright.tasks import TASKS, Tasks
from callwright.tasks.task import Grade, Task
from tests.fakes import ScriptedChat
from tests.rollouts.test_sample import FIRST, SECOND, SOLVED, plan_for, run


@function(example={"text": "a"})
def careless(text: str) -> str:
    """Say what was said."""
    return text + None if text == "b" else text


def careless_task(name: str) -> Task:
    return Task(name, Toolbox([careless, TASKS["arithmetic"].toolbox.functions["answer"]]), "Speak.", grade_badly)


def grade_badly(problem: Problem, answer: str) -> Grade:
    return "right" if answer == "5" else {}[answer]


CARELESS = Tasks([careless_task("careless")])


@pytest.fixture
def problems_of_careless_task(monkeypatch, tmp_path) -> list[Problem]:
    """Two problems of a task whose function and grader have defects, in an empty project."""
    monkeypatch.chdir(tmp_path)
    return [replace(problem, task="careless") for problem in (FIRST, SECOND)]


async def test_a_defect_of_a_function_costs_one_attempt_and_is_counted(tmp_path, problems_of_careless_task):
    log = SurpriseLog("rollout")
    model = ScriptedChat("careless('b')", "careless('a')", "answer(5)")
    attempts = plan_for(*problems_of_careless_task, tasks=CARELESS)
    chains, result = await run(attempts, model, tmp_path / "journal.jsonl", surprises=log)
    assert [chain.problem_id for chain in chains] == ["two"]
    (failure,) = result.failures
    assert failure.attempt_id == "one/scripted/0"
    assert failure.reason.startswith("unexpected TypeError in test_sample_surprises.py:")
    assert "can only concatenate str" in failure.message
    assert failure.lasting
    assert log.counts == {failure.reason: 1}
    assert "careless" in log.path.read_text()
    assert "this is a defect" in str(log.summary())


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a\nb"),
        OSError(28, "No space left on device"),
        TimeoutError(),
        AssertionError(),
        RecursionError(),
        MemoryError(),
        StopIteration(),
        StopAsyncIteration(),
        UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates not allowed"),
        ExceptionGroup("several", [KeyError("\x1b[31m")]),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_exception_in_one_attempt_does_not_stop_the_others(tmp_path, monkeypatch, error):
    monkeypatch.chdir(tmp_path)
    model = ScriptedChat("add(2, 3)", error, *SOLVED)
    chains, result = await run(plan_for(FIRST, SECOND), model, tmp_path / "journal.jsonl")
    assert [chain.problem_id for chain in chains] == ["two"]
    (failure,) = result.failures
    assert failure.lasting
    assert failure.message.isprintable()
    assert failure.reason.startswith("unexpected ")


async def test_defects_count_against_the_limit_on_failures(tmp_path, problems_of_careless_task):
    attempts = plan_for(*problems_of_careless_task, tasks=CARELESS, chains=3)
    log = SurpriseLog("rollout")
    model = ScriptedChat(*["careless('b')"] * 3)
    _, result = await run(attempts, model, tmp_path / "journal.jsonl", max_failures=2, surprises=log)
    assert (len(result.failures), result.not_run, log.counts.total()) == (3, 3, 3)
    with pytest.raises(ProviderError, match=r"3 of 6 attempts failed .* 3 times: unexpected TypeError in"):
        raise_if_too_many_failures(result.failures, 6, 0.4)


async def test_a_chain_that_cannot_be_written_costs_one_attempt(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    broken = replace(FIRST, id="half \ud83d")
    log = SurpriseLog("rollout")
    journal = tmp_path / "journal.jsonl"
    chains, result = await run(plan_for(broken, SECOND), ScriptedChat(*SOLVED, *SOLVED), journal, surprises=log)
    assert [chain.problem_id for chain in chains] == ["two"]
    assert [failure.attempt_id for failure in result.failures] == [r"half \ud83d/scripted/0"]
    assert "unexpected PydanticSerializationError in storage/jsonl.py" in result.failures[0].reason
    write(tmp_path / "failures.jsonl", result.failures)
    assert len(journal.read_text().splitlines()) == 1


async def test_a_grader_that_raises_costs_no_chain_and_is_counted_when_chains_are_published(
    tmp_path, problems_of_careless_task
):
    attempts = plan_for(*problems_of_careless_task, tasks=CARELESS)
    log = SurpriseLog("rollout")
    model = ScriptedChat("careless('a')", "answer(6)", "careless('a')", "answer(5)")
    progress = RolloutProgress("scripted", 0, 2, Meter())
    with open_journal(tmp_path / "journal.jsonl") as journal:
        result = await run_attempts(attempts, model, journal, 1, on_finished=progress.attempt_finished, surprises=log)
        report = publish(tmp_path / "chains.jsonl", attempts, CARELESS, journal, result, surprises=log)
    assert result == RolloutResult()
    assert (report.chains, report.ungraded, report.answered_right) == (2, 1, 0.5)
    assert list(log.counts.values()) == [1]
