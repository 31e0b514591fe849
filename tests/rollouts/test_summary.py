import pytest

from callwright.chat.model import Sampling
from callwright.errors import ProviderError
from callwright.params import Prices
from callwright.records import Chain, Usage
from callwright.rollouts.journal import JournalEntry, open_journal
from callwright.rollouts.plan import plan_attempts
from callwright.rollouts.sample import Failure, RolloutResult
from callwright.rollouts.summary import publish, raise_if_too_many_failures
from callwright.storage.jsonl import read
from callwright.tasks import TASKS
from tests.fakes import chain, problem

PROBLEMS = [problem(id=name, question=f"{name}?") for name in ("one", "two")]
ATTEMPTS = plan_attempts(PROBLEMS, TASKS, {"name": "scripted"}, 2, Sampling())


def test_chains_are_published_in_the_order_of_the_plan_and_reported(tmp_path):
    right = chain("add(2, 3)", "answer(5)", problem_id="one", id=ATTEMPTS[0].id, usage=Usage(3_000, 400, 1_000))
    wrong = chain("answer(6)", problem_id="two", id=ATTEMPTS[3].id, usage=Usage(1_000, 100))
    failed = Failure(ATTEMPTS[1].id, "timeout", "teacher at x did not answer in time")
    with open_journal(tmp_path / "journal.jsonl") as journal:
        journal.append(JournalEntry(ATTEMPTS[3].key, wrong, (0.5,)))
        journal.append(JournalEntry(ATTEMPTS[0].key, right, (1.0, 3.0)))
        prices = Prices(prompt=2.0, cached=0.5, completion=8.0)
        report = publish(tmp_path / "chains.jsonl", ATTEMPTS, TASKS, journal, RolloutResult([failed], 1), prices)
    assert list(read(Chain, tmp_path / "chains.jsonl")) == [right, wrong]
    assert report.model_dump(by_alias=True) == {
        "attempts": 4,
        "chains": 2,
        "failures": 1,
        "failure_reasons": {"timeout": 1},
        "unmade": 1,
        "ungraded": 0,
        "answered_right": 0.5,
        "accuracy": {"arithmetic": 0.5},
        "outcomes": {"answered": 2},
        "steps": 3,
        "prompt_tokens": 4_000,
        "cached_tokens": 1_000,
        "completion_tokens": 500,
        "cost": 0.0105,  # (3,000 x 2 + 1,000 x 0.5 + 500 x 8) / 1,000,000
        "latency_s": {"p50": 1.0, "p95": 3.0},  # of 0.5, 1.0 and 3.0
    }


def test_a_rollout_without_attempts_can_be_reported(tmp_path):
    with open_journal(tmp_path / "journal.jsonl") as journal:
        report = publish(tmp_path / "chains.jsonl", [], TASKS, journal, RolloutResult())
    assert (report.chains, report.answered_right, report.cost, report.latency_s) == (0, 0.0, None, {})


def test_too_many_failures_stop_the_run_with_the_most_common_reason():
    failures = [Failure("a", "timeout", "gone"), Failure("b", "timeout", "gone"), Failure("c", "busy", "full")]
    raise_if_too_many_failures(failures, attempts=100, limit=0.03)  # exactly three of a hundred are allowed
    with pytest.raises(ProviderError, match=r"^3 of 100 attempts failed \(limit 2%\); 2 times: gone; "):
        raise_if_too_many_failures(failures, attempts=100, limit=0.02)
