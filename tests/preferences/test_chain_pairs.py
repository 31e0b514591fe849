"""Pairs of whole chains (`mode: chain`), and of both steps and chains (`mode: both`)."""

from dataclasses import replace

import pytest

from callwright.agent.protocol import PROTOCOLS
from callwright.params import PairsParams
from callwright.preferences.forks import pairs_from_forks
from callwright.records import CheckedChain, Pair
from callwright.tasks import TASKS
from tests.fakes import checked, problem

PARAMS = PairsParams(
    mode="chain", min_margin=0.3, cost_weight=0.1, max_per_problem=9, max_kind_share=1.0, max_task_share=1.0
)
CORRECT = checked("add(2, 3)", "answer(5)", correct=True)


def pairs_of(*records: CheckedChain, **changes: object) -> list[Pair]:
    return pairs_from_forks(records, {"p": problem()}, TASKS, PARAMS.model_copy(update=changes))[0]


def incorrect(*replies: str) -> CheckedChain:
    return checked(*replies, correct=False)


def roles(side: tuple) -> list[str]:
    return [message["role"] for message in side]


def test_a_side_holds_all_replies_of_a_chain_with_the_results_between_them():
    (pair,) = pairs_of(CORRECT, incorrect("add(3, 3)", "subtract(6, 2)", "answer(4)"))
    assert roles(pair.prompt) == ["system", "user"]
    assert [message["content"] for message in pair.chosen] == ["add(a=2, b=3)", "Result: 5", "answer(value=5)"]
    assert roles(pair.rejected) == ["assistant", "user", "assistant", "user", "assistant"]
    assert (pair.id, pair.margin, pair.kind) == ("p#0", 1.0, "wrong_call")


@pytest.mark.parametrize("protocol", ["text", "native"])
def test_the_messages_are_those_that_the_model_read_and_wrote(protocol):
    records = [
        replace(record, chain=replace(record.chain, protocol=protocol)) for record in (CORRECT, incorrect("answer(6)"))
    ]
    (pair,) = pairs_of(*records)
    # for a third step, the model would read the whole chain and the result of its last step
    messages, tools = PROTOCOLS[protocol].render(TASKS["arithmetic"], problem().question, CORRECT.chain.steps)
    assert [*pair.prompt, *pair.chosen] == messages[:-1]
    assert list(pair.tools) == tools


def test_of_two_correct_chains_the_shorter_one_is_chosen():
    longer = checked("add(1, 1)", "add(2, 2)", "add(4, 1)", "add(5, 0)", "answer(5)", correct=True)
    (pair,) = pairs_of(longer, CORRECT)
    assert (len(pair.chosen), pair.kind, pair.margin) == (3, "detour", 0.3)  # three extra calls at 0.1
    assert pairs_of(longer, CORRECT, min_margin=0.31) == []


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        (("add(2, 3)", "add(5, 1)", "answer(6)"), "needless_call"),
        (("add(2, 3)", "answer(6)"), "ungrounded_answer"),
        (("divide(2, 0)", "answer(6)"), "execution_error"),
        (("add(2, 3)",), "no_answer"),
    ],
)
def test_the_kind_says_what_is_wrong_with_the_first_step_that_differs(replies, kind):
    assert [pair.kind for pair in pairs_of(CORRECT, incorrect(*replies))] == [kind]


def test_a_chain_with_a_failed_step_is_never_chosen():
    recovered = checked("divide(2, 0)", "add(2, 3)", "answer(5)", correct=True)
    worse = incorrect("add(3, 3)", "answer(6)")
    assert pairs_of(recovered, worse) == []
    (pair,) = pairs_of(recovered, worse, CORRECT)  # `recovered` scores 1 - 0.1: its margin is too small
    assert pair.rejected[0]["content"] == "add(a=3, b=3)"


def test_chains_of_the_same_calls_count_once():
    same_calls = incorrect("So.\nadd(b=3, a=3)", "answer(6)")
    assert len(pairs_of(CORRECT, incorrect("add(3, 3)", "answer(6)"), same_calls)) == 1


def test_without_a_correct_chain_there_is_no_pair():
    assert pairs_of(incorrect("add(3, 3)", "answer(6)"), incorrect("answer(6)")) == []


def test_mode_both_makes_the_pairs_of_forks_and_of_chains_without_duplicates():
    two_steps = incorrect("add(3, 3)", "answer(6)")
    assert [len(pair.chosen) for pair in pairs_of(CORRECT, two_steps, mode="both")] == [1, 3]
    one_step = (checked("answer(5)", correct=True), incorrect("answer(6)"))
    assert len(pairs_of(*one_step, mode="both")) == 1  # with one step, both pairs are the same


def test_a_wrong_step_of_the_student_is_paired_with_the_correct_one_of_the_teacher():
    teacher = checked("add(2, 3)", "answer(5)", correct=True, model="teacher")
    student = checked("add(2, 2)", "answer(4)", correct=False, model="base")
    (pair,) = pairs_of(teacher, student, mode="step")
    assert (pair.chosen[0]["content"], pair.rejected[0]["content"]) == ("add(a=2, b=3)", "add(a=2, b=2)")
