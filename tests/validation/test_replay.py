"""Executing recorded chains again."""

import pytest

from callwright.records import Call, Chain, Step, StepError
from callwright.storage import jsonl
from callwright.tasks.arithmetic.task import ARITHMETIC
from callwright.validation.replay import check_chain, replay
from tests.fakes import chain, problem, step

SUM = problem()


def test_replaying_an_unchanged_chain_from_disk_gives_the_recorded_steps():
    recorded = chain("First.\nadd(1/3, 0.5)", "add(2", "sum(2, 3)", "add(2)", "divide(1, 0)", "add(2, 3)", "answer(5)")
    on_disk = jsonl.loads(Chain, jsonl.dumps(recorded), "here")
    assert on_disk == recorded
    assert replay(on_disk, ARITHMETIC).steps == recorded.steps


@pytest.mark.parametrize(
    "changed",
    [
        step("add(2, 3)", observation="6"),
        step("add(2, 3)", observation="5.0"),
        step("add(2, 3)", call=Call("add", {"a": 2, "b": 4})),
        step("add(2, 3)", observation=None, error=StepError("execution_error", "the result would be too large")),
        step("divide(2, 0)", observation="0", error=None),
        step("add(2)", observation="5", error=None),
        step("divide(2, 0)", error=StepError("execution_error", "the moon is full")),
    ],
)
def test_a_changed_step_is_a_replay_mismatch_and_the_chain_is_not_correct(changed):
    checked = check_chain(chain("add(1, 1)", changed, "add(3, 2)", "answer(5)"), SUM, ARITHMETIC)
    assert [(fault.fault, fault.step) for fault in checked.verdict.faults if fault.fault == "replay_mismatch"] == [
        ("replay_mismatch", 1)
    ]
    assert not checked.verdict.correct


def test_a_mismatch_message_has_the_recorded_and_the_new_result():
    forged = step("divide(2, 0)", observation="0", error=None)
    checked = check_chain(chain(forged, "answer(0)"), SUM, ARITHMETIC)
    assert checked.verdict.faults[0].message == (
        "recorded '0', but executing the call again gives the error execution_error"
    )


@pytest.mark.parametrize(
    "forged",
    [
        Step("", Call("telepathy", {"0": 2}), None, "5"),  # or a function that was removed later
        Step("five", None, None, "5"),
    ],
)
def test_an_observation_of_a_step_that_cannot_be_executed_is_a_replay_mismatch(forged):
    checked = check_chain(chain(forged, "answer(5)"), SUM, ARITHMETIC)
    assert "replay_mismatch" in {fault.fault for fault in checked.verdict.faults}
    assert not checked.verdict.correct
