"""The faults of chains: one problem (2 + 3 = 5), and one chain per fault."""

from dataclasses import replace

import pytest

from callwright.agent.loop import execute_step
from callwright.functions.function import function
from callwright.functions.guard import LIMIT_REACHED
from callwright.functions.toolbox import Toolbox
from callwright.records import FAULTS, Call, Chain, StepError, StepFault, Verdict
from callwright.tasks.arithmetic.task import ARITHMETIC
from callwright.tasks.task import Task
from callwright.validation.execution import execute_again
from callwright.validation.faults import DISQUALIFYING_FAULTS, judge
from callwright.validation.replay import replay
from tests.fakes import chain, problem, step

SUM = problem()


def verdict(judged: Chain, problem=SUM, task: Task = ARITHMETIC) -> Verdict:
    return judge(judged, problem, task, replay(judged, task))


def faults(judged: Chain) -> list[tuple[str, int]]:
    """Name and step of each fault."""
    return [(fault.fault, fault.step) for fault in verdict(judged).faults]


def test_a_chain_with_a_right_answer_that_a_call_returned_is_correct_and_has_no_fault():
    judged = chain("add(2, 3)", "answer(5)")
    assert verdict(judged) == Verdict(judged.id, True, (), None)


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("add(2, 3", "syntax"),
        ("sum(2, 3)", "unknown_function"),
        ("add(2)", "bad_arguments"),
        ("divide(2, 0)", "execution_error"),
    ],
)
def test_a_failed_step_is_a_fault_that_a_chain_can_recover_from(reply, fault):
    judged = chain("subtract(3, 2)", reply, "add(2, 3)", "answer(5)")
    assert faults(judged) == [(fault, 1)]
    assert verdict(judged).correct
    assert verdict(judged).first_fault == 1


def test_the_fault_of_a_failed_step_has_the_message_that_the_model_saw():
    judged = chain("divide(2, 0)", "add(2, 3)", "answer(5)")
    assert verdict(judged).faults == (StepFault("execution_error", 0, "cannot divide by zero"),)


def test_a_call_written_differently_is_still_a_repeated_call():
    judged = chain("add(2, 3)", "Again.\nadd(b=3.0, a=2)", "answer(5)")
    assert verdict(judged).faults == (StepFault("repeated_call", 1, "add(a=2, b=3) was called at step 1 already"),)
    assert verdict(judged).correct


def test_a_right_answer_that_no_call_returned_is_ungrounded():
    judged = chain("answer(5)")
    assert faults(judged) == [("ungrounded_answer", 0)]
    assert not verdict(judged).correct


def test_an_earlier_invalid_answer_does_not_ground_a_later_one():
    assert faults(chain("answer('five')", "answer(5)")) == [("bad_arguments", 0), ("ungrounded_answer", 1)]


def test_a_wrong_answer_that_a_call_returned_is_wrong_and_grounded():
    judged = chain("multiply(2, 3)", "answer(6)")
    assert verdict(judged).faults == (StepFault("wrong_answer", 1, "answered 6, the answer is 5"),)
    assert not verdict(judged).correct


def test_a_wrong_guess_is_wrong_and_ungrounded():
    assert faults(chain("add(2, 3)", "answer(7)")) == [("wrong_answer", 1), ("ungrounded_answer", 1)]


def test_grounding_compares_values_and_not_spellings():
    assert faults(chain("add(2, 3)", "answer('$5.00')")) == []


def test_a_chain_without_an_answer_has_its_fault_at_the_last_step():
    judged = chain("add(2, 3)", "add(5, 1)")
    assert verdict(judged).faults == (StepFault("no_answer", 1, "no answer after 2 steps (step_limit)"),)
    assert not verdict(judged).correct


def test_an_undecided_grade_is_a_separate_fault_and_not_correct():
    unsure = replace(ARITHMETIC, grade=lambda *_: "undecided")
    undecided = verdict(chain("add(2, 3)", "answer(5)"), task=unsure)
    assert undecided.faults == (StepFault("undecided", 1, "whether 5 is right could not be decided"),)
    assert not undecided.correct


def test_an_observation_that_the_replay_does_not_give_is_a_replay_mismatch():
    judged = chain(step("add(2, 3)", observation="6"), "answer(6)")
    assert verdict(judged, problem(answer="6")).faults == (
        StepFault("replay_mismatch", 0, "recorded '6', but executing the call again gives '5'"),
    )
    assert not verdict(judged, problem(answer="6")).correct


def test_the_first_fault_is_at_the_earliest_step_with_a_fault():
    judged = chain("add(2", "sum(2, 3)", "add(2, 3)", "add(2, 3)", "answer(6)")
    assert faults(judged) == [
        ("syntax", 0),
        ("unknown_function", 1),
        ("repeated_call", 3),
        ("wrong_answer", 4),
        ("ungrounded_answer", 4),
    ]
    assert verdict(judged).first_fault == 0


def test_every_fault_has_a_known_name():
    assert set(FAULTS) == {
        "syntax", "unknown_function", "bad_arguments", "execution_error", "repeated_call", "ungrounded_answer",
        "unfaithful_call", "wrong_answer", "no_answer", "undecided", "replay_mismatch",
    }  # fmt: skip


def test_a_recorded_answer_that_differs_from_the_last_step_is_a_replay_mismatch():
    judged = chain("add(2, 3)", "add(3, 3)", "answer(6)", answer="5")
    assert ("replay_mismatch", 2) in faults(judged)
    assert not verdict(judged).correct


def test_an_answer_from_a_list_that_a_call_returned_is_grounded():
    nine = replace(SUM, answer="-3", question="The square of which number below zero is 9?", solution=())
    assert verdict(chain("solve('x**2 = 9')", "answer(-3)"), nine).correct
    assert not verdict(chain("solve('x**2 = 16')", "answer(-3)"), nine).correct


def test_an_outcome_that_the_last_step_contradicts_is_a_replay_mismatch():
    stopped = replace(chain("add(2, 3)", "answer(5)"), outcome="step_limit")
    assert verdict(stopped).faults == (
        StepFault("replay_mismatch", 1, "recorded outcome step_limit, but the last step gave an answer"),
    )


def test_the_faults_of_an_answer_without_any_step_are_at_step_zero():
    assert faults(replace(chain(), answer="5", outcome="answered")) == [
        ("replay_mismatch", 0),
        ("ungrounded_answer", 0),
    ]


def test_some_faults_disqualify_a_chain_and_others_do_not():
    assert set(FAULTS) > DISQUALIFYING_FAULTS > set()


LIMITED = StepError("execution_error", f"{LIMIT_REACHED}: it took too long")


@pytest.mark.parametrize(
    ("recorded", "now"),
    [(step("add(2, 3)"), LIMITED), (step("add(2, 3)", observation=None, error=LIMITED), None)],
)
def test_a_limit_reached_only_in_the_recording_or_only_in_the_replay_is_undecided(recorded, now):
    judged = chain(recorded, "add(3, 2)", "answer(5)")
    replayed = replay(judged, ARITHMETIC)
    if now is not None:
        steps = (replace(replayed.steps[0], observation=None, error=now), *replayed.steps[1:])
        replayed = replace(replayed, steps=steps, values=(None, *replayed.values[1:]))
    undecided = judge(judged, SUM, ARITHMETIC, replayed)
    assert [(fault.fault, fault.step) for fault in undecided.faults if fault.fault != "execution_error"] == [
        ("undecided", 0)
    ]
    assert not undecided.correct


def test_the_texts_of_two_limit_errors_are_not_compared():
    other = StepError("execution_error", f"{LIMIT_REACHED}: it needed too much memory")
    judged = chain(step("add(2, 3)", observation=None, error=LIMITED), "add(3, 2)", "answer(5)")
    replayed = replay(judged, ARITHMETIC)
    steps = (replace(replayed.steps[0], observation=None, error=other), *replayed.steps[1:])
    limited_twice = judge(judged, SUM, ARITHMETIC, replace(replayed, steps=steps, values=(None, *replayed.values[1:])))
    assert [fault.fault for fault in limited_twice.faults] == ["execution_error"]
    assert limited_twice.correct


@function(example={"kind": "warm"})
def colors(kind: str) -> list[str]:
    """The colors of a kind."""
    return ["red", "blue, light", "a [b]"]


@function(example={"kind": "warm"})
def shades(kind: str) -> dict[str, tuple[int, list[str]]]:
    """How many shades of each color, and what they are called."""
    return {"red": (2, ["ruby", "rose, pale"])}


@function(example={"value": "red"})
def name_it(value: str) -> str:
    """Give the final answer and stop."""
    return value


COLORS = Task("colors", Toolbox([colors, shades, replace(name_it, name="answer")]), "", lambda problem, answer: "right")


@pytest.mark.parametrize(
    ("name", "answer", "grounded"),
    [
        ("colors", "red", True),
        ("colors", "blue, light", True),
        ("colors", "a [b]", True),
        ("colors", "blue", False),
        ("colors", "'red'", False),
        ("colors", "['red', 'blue, light', 'a [b]']", True),
        ("shades", "ruby", True),
        ("shades", "rose, pale", True),
        ("shades", "red", True),
        ("shades", "2", True),
        ("shades", "rose", False),
    ],
)
def test_an_answer_equal_to_an_item_of_a_result_is_grounded(name: str, answer: str, grounded: bool):
    tools = COLORS.toolbox.open()
    calls = (Call(name, {"kind": "warm"}), Call("answer", {"value": answer}))
    steps = tuple(execute_step("", call, COLORS.toolbox, tools).step for call in calls)
    judged = Chain("c", "p", "me", "text", steps, "answered", answer)
    assert judge(judged, SUM, COLORS, execute_again(steps, COLORS.toolbox)).correct == grounded
