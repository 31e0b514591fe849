"""Whole chains against each other (`mode: chain`), and both ways at once."""

from dataclasses import replace

import pytest

from callwright.agent.protocol import PROTOCOLS
from callwright.params import PairsParams
from callwright.preferences.dialogue import conversation_rows
from callwright.preferences.forks import pairs_from_forks
from callwright.records import CheckedChain, Pair
from callwright.tasks import TASKS
from tests.fakes import checked, problem

PARAMS = PairsParams(
    mode="chain", min_margin=0.3, cost_weight=0.1, max_per_problem=9, max_kind_share=1.0, max_task_share=1.0
)
RIGHT = checked("add(2, 3)", "answer(5)", correct=True)


def pairs_of(*records: CheckedChain, **changes: object) -> list[Pair]:
    return pairs_from_forks(records, {"p": problem()}, PARAMS.model_copy(update=changes))[0]


def wrong(*replies: str) -> CheckedChain:
    return checked(*replies, correct=False)


def roles(side: tuple) -> list[str]:
    return [message["role"] for message in side]


def test_a_side_is_all_that_the_model_said_with_the_results_between():
    (pair,) = pairs_of(RIGHT, wrong("add(3, 3)", "subtract(6, 2)", "answer(4)"))
    assert roles(pair.prompt) == ["system", "user"]
    assert [message["content"] for message in pair.chosen] == ["add(a=2, b=3)", "Result: 5", "answer(value=5)"]
    assert roles(pair.rejected) == ["assistant", "user", "assistant", "user", "assistant"]
    assert (pair.id, pair.margin, pair.kind) == ("p#0", 1.0, "wrong_call")


@pytest.mark.parametrize("protocol", ["text", "native"])
def test_the_messages_are_those_that_the_model_read_and_wrote(protocol):
    records = [replace(one, chain=replace(one.chain, protocol=protocol)) for one in (RIGHT, wrong("answer(6)"))]
    (pair,) = pairs_of(*records)
    # asked for a third step, the model would read the whole chain and the result of its last step
    messages, tools = PROTOCOLS[protocol].render(TASKS["arithmetic"], problem().question, RIGHT.chain.steps)
    assert [*pair.prompt, *pair.chosen] == messages[:-1]
    assert list(pair.tools) == tools


def test_of_two_right_chains_the_economical_one_is_chosen():
    longer = checked("add(1, 1)", "add(2, 2)", "add(4, 1)", "add(5, 0)", "answer(5)", correct=True)
    (pair,) = pairs_of(longer, RIGHT)
    assert (len(pair.chosen), pair.kind, pair.margin) == (3, "detour", 0.3)  # three extra calls at 0.1
    assert pairs_of(longer, RIGHT, min_margin=0.31) == []


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        (("add(2, 3)", "add(5, 1)", "answer(6)"), "needless_call"),
        (("add(2, 3)", "answer(6)"), "ungrounded_answer"),
        (("divide(2, 0)", "answer(6)"), "execution_error"),
        (("add(2, 3)",), "no_answer"),
    ],
)
def test_the_kind_says_what_is_wrong_where_the_chains_part(replies, kind):
    assert [pair.kind for pair in pairs_of(RIGHT, wrong(*replies))] == [kind]


def test_a_chain_with_a_failed_step_is_never_chosen():
    mended = checked("divide(2, 0)", "add(2, 3)", "answer(5)", correct=True)
    bad = wrong("add(3, 3)", "answer(6)")
    assert pairs_of(mended, bad) == []
    (pair,) = pairs_of(mended, bad, RIGHT)  # 1 less 0.1 for the mended one: too near
    assert pair.rejected[0]["content"] == "add(a=3, b=3)"


def test_chains_of_the_same_calls_count_once():
    again = wrong("So.\nadd(b=3, a=3)", "answer(6)")
    assert len(pairs_of(RIGHT, wrong("add(3, 3)", "answer(6)"), again)) == 1


def test_without_a_right_chain_there_is_no_pair():
    assert pairs_of(wrong("add(3, 3)", "answer(6)"), wrong("answer(6)")) == []


def test_both_makes_the_pairs_of_forks_and_of_chains_each_once():
    two_steps = wrong("add(3, 3)", "answer(6)")
    assert [len(pair.chosen) for pair in pairs_of(RIGHT, two_steps, mode="both")] == [1, 3]
    one_step = (checked("answer(5)", correct=True), wrong("answer(6)"))
    assert len(pairs_of(*one_step, mode="both")) == 1  # a chain of one step is a step


def test_a_students_wrong_step_is_paired_with_the_teachers_right_one():
    teacher = checked("add(2, 3)", "answer(5)", correct=True, model="teacher")
    student = checked("add(2, 2)", "answer(4)", correct=False, model="base")
    (pair,) = pairs_of(teacher, student, mode="step")
    assert (pair.chosen[0]["content"], pair.rejected[0]["content"]) == ("add(a=2, b=3)", "add(a=2, b=2)")


def test_a_table_gives_the_rows_of_whole_chains_back_without_a_key_more_or_less():
    from datasets import Dataset

    records = [RIGHT, wrong("round_to(2.5)", "answer(6)"), wrong("solve('x = 2')", "answer(2)")]
    native = [replace(one, chain=replace(one.chain, protocol="native")) for one in records]
    rows = conversation_rows([*pairs_of(*records), *pairs_of(*native)])
    text_rows, native_rows = rows[:2], rows[2:]
    for part in (text_rows, native_rows):
        assert list(Dataset.from_list(part, on_mixed_types="use_json")) == part
    assert native_rows[0]["chosen"][0]["tool_calls"][0]["function"]["arguments"] == {"a": 2, "b": 3}
    arguments = [row["rejected"][0]["tool_calls"][0]["function"]["arguments"] for row in native_rows]
    assert {"number": 2.5} in arguments  # `decimals` was not given, and is not there
