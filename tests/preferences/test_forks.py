from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from callwright.agent.protocol import NATIVE, TEXT
from callwright.params import PairsParams
from callwright.preferences.forks import pairs_from_forks
from callwright.preferences.tree import tree_of, walk
from callwright.records import CheckedChain, Pair, Step, StepError
from callwright.tasks import TASKS
from tests.fakes import TOOLBOX, chain, checked, problem

TASK = TASKS["arithmetic"]
CORRECT = checked("add(2, 3)", "answer(5)", correct=True)


def params(**changes: float | str) -> PairsParams:
    values = {"mode": "step", "min_margin": 0.3, "cost_weight": 0.0, "max_per_problem": 99}
    return PairsParams(**{**values, "max_kind_share": 1.0, "max_task_share": 1.0, **changes})


def pairs_of(*records: CheckedChain, **changes: float | str) -> list[Pair]:
    ids = {record.chain.problem_id for record in records}
    return pairs_from_forks(
        records, {problem_id: problem(id=problem_id) for problem_id in ids}, TASKS, params(**changes)
    )[0]


def sides(pairs: list[Pair]) -> list[tuple[str, str]]:
    return [(pair.chosen[0]["content"], pair.rejected[0]["content"]) for pair in pairs]


def incorrect(*replies: str | Step, **changes: object) -> CheckedChain:
    return checked(*replies, correct=False, **changes)


def test_a_pair_is_made_at_the_fork_of_two_chains():
    (pair,) = pairs_of(CORRECT, incorrect("add(b=3, a=2)", "answer(6)"))
    assert pair.prompt == tuple(TEXT.render(TASK, problem().question, chain("add(2, 3)").steps)[0])
    assert pair.chosen == ({"role": "assistant", "content": "answer(value=5)"},)
    assert pair.rejected == ({"role": "assistant", "content": "answer(value=6)"},)
    assert (pair.problem_id, pair.margin, pair.tools) == ("p", 1.0, ())


def test_the_margin_is_the_gap_between_the_values_of_the_siblings():
    # add(2, 3) leads to a right answer in three of four chains, add(3, 3) in one of four: 3/4 - 1/4
    records = [checked("add(2, 3)", "answer(5)", correct=number < 3, id=f"a{number}") for number in range(4)]
    records += [checked("add(3, 3)", "answer(6)", correct=number < 1, id=f"b{number}") for number in range(4)]
    (pair,) = pairs_of(*records)
    assert pair.margin == 0.5
    assert sides([pair]) == [("add(a=2, b=3)", "add(a=3, b=3)")]


def test_a_gap_below_the_minimum_makes_no_pair_and_one_at_it_does():
    records = [checked("add(2, 3)", "answer(5)", correct=number < 7, id=f"a{number}") for number in range(10)]
    records += [checked("add(3, 3)", "answer(6)", correct=number < 4, id=f"b{number}") for number in range(10)]
    assert len(pairs_of(*records, min_margin=0.3)) == 1  # 7/10 - 4/10, which is slightly below 0.3 in floats
    assert pairs_of(*records, min_margin=0.31) == []


def test_equal_siblings_make_no_pair():
    assert pairs_of(CORRECT, checked("add(3, 2)", "answer(5)", correct=True), min_margin=0.01) == []
    assert pairs_of(incorrect("add(2, 3)", "answer(6)"), incorrect("add(3, 2)", "answer(6)"), min_margin=0.01) == []


def test_a_single_chain_makes_no_pair():
    assert pairs_of(CORRECT) == []


def test_the_best_sibling_is_paired_with_each_worse_one():
    pairs = pairs_of(CORRECT, incorrect("add(3, 3)", "answer(6)"), incorrect("subtract(2, 3)", "answer(-1)"))
    assert sides(pairs) == [("add(a=2, b=3)", "add(a=3, b=3)"), ("add(a=2, b=3)", "subtract(a=2, b=3)")]


def test_a_failed_step_is_never_chosen():
    # the only correct chain begins with a mistake
    recovered = checked("sum(2, 3)", "add(2, 3)", "answer(5)", correct=True)
    assert pairs_of(recovered, incorrect("add(3, 3)", "answer(6)")) == []


def test_a_mistake_that_was_corrected_does_not_hide_the_fork_of_its_siblings():
    recovered = checked("sum(2, 3)", "add(2, 3)", "answer(5)", correct=True)  # value 1
    records = [checked("add(2, 3)", "answer(5)", correct=number < 1, id=f"a{number}") for number in range(2)]  # 1/2
    (pair,) = pairs_of(recovered, *records, incorrect("add(3, 3)", "answer(6)"))
    assert (sides([pair]), pair.margin) == ([("add(a=2, b=3)", "add(a=3, b=3)")], 0.5)


@pytest.mark.parametrize(
    ("worse", "kind"),
    [
        (incorrect("add(2, 3", "answer(6)"), "syntax"),
        (incorrect("sum(2, 3)", "answer(6)"), "unknown_function"),
        (incorrect("add(2)", "answer(6)"), "bad_arguments"),
        (incorrect("divide(2, 0)", "answer(6)"), "execution_error"),
        (incorrect("multiply(2, 3)", "answer(6)"), "wrong_call"),
        (incorrect("answer(5)"), "ungrounded_answer"),
        (incorrect("add(2, 3)", "add(2, 3)", "answer(6)"), "repeated_call"),
        (incorrect("add(2, 3)", "answer(6)"), "ungrounded_answer"),
        (incorrect("add(2, 3)", "add(5, 1)", "answer(6)"), "needless_call"),
    ],
)
def test_the_kind_says_what_is_wrong_with_the_rejected_step(worse, kind):
    assert [pair.kind for pair in pairs_of(CORRECT, worse)] == [kind]


def test_an_answer_with_the_result_of_another_call_is_a_wrong_answer():
    correct = checked("multiply(2, 3)", "subtract(6, 1)", "answer(5)", correct=True)
    (pair,) = pairs_of(correct, incorrect("multiply(2, 3)", "subtract(6, 1)", "answer(6)"))
    assert pair.kind == "wrong_answer"


def test_a_longer_path_to_the_correct_answer_is_a_detour():
    longer = checked("add(1, 1)", "add(2, 2)", "add(2, 3)", "answer(5)", correct=True)
    (pair,) = pairs_of(CORRECT, longer, cost_weight=0.2)
    assert (pair.kind, pair.margin) == ("detour", 0.4)  # two extra steps
    assert sides([pair]) == [("add(a=2, b=3)", "add(a=1, b=1)")]


def test_at_most_max_per_problem_pairs_are_kept_distinct_kinds_first():
    records = [
        CORRECT,
        incorrect("sum(2, 3)"),
        incorrect("add(3, 3)", "answer(6)"),
        incorrect("add(4, 3)", "answer(7)"),
    ]
    assert Counter(pair.kind for pair in pairs_of(*records)) == {"unknown_function": 1, "wrong_call": 2}
    assert Counter(pair.kind for pair in pairs_of(*records, max_per_problem=2)) == {
        "unknown_function": 1,
        "wrong_call": 1,
    }


def test_of_one_kind_the_widest_margins_are_kept():
    near = [checked("add(4, 1)", "answer(5)", correct=number < 1, id=f"near {number}") for number in range(2)]
    records = [CORRECT, incorrect("add(3, 3)", "answer(6)"), *near]
    # margins at the root: 1 - 0 and 1 - 1/2; the chains of `near` do not fork
    assert sorted(pair.margin for pair in pairs_of(*records, max_per_problem=2)) == [0.5, 1.0]
    assert [pair.margin for pair in pairs_of(*records, max_per_problem=1)] == [1.0]


def many(kind: str, count: int) -> list[CheckedChain]:
    """Problems with one pair each, of one kind."""
    replies = {
        "unknown_function": "sum(2, 3)",
        "wrong_call": "add(3, 3)",
        "syntax": "add(2",
        "ungrounded_answer": "answer(6)",
    }
    rejected = replies[kind]
    return [
        record
        for number in range(count)
        for record in (
            checked("add(2, 3)", "answer(5)", correct=True, problem_id=f"{kind} {number}"),
            checked(rejected, correct=False, problem_id=f"{kind} {number}"),
        )
    ]


def test_no_kind_outweighs_the_others():
    records = [*many("wrong_call", 10), *many("unknown_function", 2), *many("syntax", 1)]
    assert Counter(pair.kind for pair in pairs_of(*records, max_kind_share=0.5)) == {
        "wrong_call": 3,  # half of six
        "unknown_function": 2,
        "syntax": 1,
    }


def test_pairs_that_are_already_balanced_are_all_kept():
    assert len(pairs_of(*many("wrong_call", 4), *many("syntax", 4), max_kind_share=0.5)) == 8


def test_all_pairs_of_a_single_kind_are_kept():
    assert len(pairs_of(*many("wrong_call", 4), max_kind_share=0.5)) == 4


def test_the_report_counts_the_pairs_before_and_after_balancing():
    records = [*many("wrong_call", 4), *many("syntax", 1)]
    problems = {record.chain.problem_id: problem(id=record.chain.problem_id) for record in records}
    pairs, report = pairs_from_forks(records, problems, TASKS, params(max_kind_share=0.5))
    assert report == {
        "problems": 5,
        "forks": 5,
        "pairs": 2,
        "kinds": {"syntax": 1, "wrong_call": 1},
        "answer_chosen": 0,
        "answer_rejected": 0,
        "mean_margin": 1.0,
    }
    assert len(pairs) == 2


def test_pairs_of_answers_are_counted():
    records = (CORRECT, incorrect("add(2, 3)", "answer(6)"))
    _, report = pairs_from_forks(records, {"p": problem()}, TASKS, params())
    assert (report["answer_chosen"], report["answer_rejected"]) == (1, 1)


def native(record: CheckedChain) -> CheckedChain:
    return replace(record, chain=replace(record.chain, protocol="native"))


def test_a_native_pair_is_a_tool_call_with_the_tools_that_were_offered():
    (pair,) = pairs_of(native(CORRECT), native(incorrect("add(b=3, a=2)", "answer(6)")))
    messages, tools = NATIVE.render(TASK, problem().question, chain("add(2, 3)").steps)
    assert (pair.prompt, pair.tools) == (tuple(messages), tuple(tools))
    function = {"name": "answer", "arguments": '{"value": 5}'}
    assert pair.chosen == (
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "call00001", "type": "function", "function": function}],
        },
    )
    assert pair.rejected[0]["tool_calls"][0]["id"] == "call00001"


def test_each_protocol_has_its_own_tree():
    mixed = [CORRECT, native(incorrect("add(3, 3)", "answer(6)"))]
    assert pairs_of(*mixed) == []
    pairs = pairs_of(*mixed, incorrect("add(4, 3)", "answer(7)"), native(CORRECT))
    assert [(pair.id, bool(pair.tools)) for pair in pairs] == [("p#0", False), ("p#1", True)]


def test_native_answers_are_counted_as_answers():
    _, report = pairs_from_forks(
        (native(CORRECT), native(incorrect("add(2, 3)", "answer(6)"))), {"p": problem()}, TASKS, params()
    )
    assert (report["answer_chosen"], report["answer_rejected"]) == (1, 1)


replies = st.sampled_from(["add(2, 3)", "add(b=3, a=2)", "add(3, 3)", "add(2", "sum(2, 3)", "answer(5)", "answer(6)"])
drawn = st.lists(
    st.tuples(st.lists(replies, min_size=1, max_size=4), st.booleans(), st.sampled_from("pq")), min_size=1, max_size=12
)
records = drawn.map(
    lambda rows: [
        checked(*chain_replies, correct=correct, id=str(index), problem_id=problem_id)
        for index, (chain_replies, correct, problem_id) in enumerate(rows)
    ]
)


@given(records, st.randoms(use_true_random=False), st.sampled_from([0.0, 0.1]), st.sampled_from([2, 99]))
def test_the_order_of_the_chains_does_not_matter(records, rng, cost_weight, max_per_problem):
    shuffled = rng.sample(records, len(records))
    limits = {"cost_weight": cost_weight, "max_per_problem": max_per_problem, "max_kind_share": 0.5}
    assert pairs_of(*shuffled, **limits) == pairs_of(*records, **limits)


@given(records)
def test_the_margin_is_the_difference_of_the_values_of_chosen_and_rejected(records):
    values: dict[tuple[str, str, str], float] = {}
    for problem_id in {record.chain.problem_id for record in records}:
        problem_records = [record for record in records if record.chain.problem_id == problem_id]
        for path, node in walk(tree_of(problem_records, TOOLBOX, 0.0)):
            prompt = str(TEXT.render(TASK, problem().question, path)[0])
            for child in node.children.values():
                values[problem_id, prompt, TEXT.reply_message(child.step)["content"]] = child.value
    for pair in pairs_of(*records, min_margin=0.05):
        better, worse = (
            values[pair.problem_id, str(list(pair.prompt)), side[0]["content"]] for side in (pair.chosen, pair.rejected)
        )
        assert better - worse == pytest.approx(pair.margin, abs=1e-6)
        assert pair.margin >= 0.05


@given(records)
def test_chosen_and_rejected_differ_and_ids_are_unique(records):
    pairs = pairs_of(*records, min_margin=0.05)
    assert all(pair.chosen != pair.rejected for pair in pairs)
    assert len({pair.id for pair in pairs}) == len(pairs)


def test_a_reply_that_was_cut_off_is_not_paired_with_its_own_text():
    cut_off = Step("add(a=2, b=3)", None, StepError("syntax", "the reply was cut off; write one short call"), None)
    assert all(chosen != rejected for chosen, rejected in sides(pairs_of(CORRECT, incorrect(cut_off))))


def test_a_share_below_a_half_is_rejected_because_two_kinds_could_exceed_it():
    with pytest.raises(ValidationError):
        params(max_kind_share=0.4)


def test_answer_is_not_rejected_more_often_than_chosen_if_it_is_chosen_at_all():
    early = many("ungrounded_answer", 6)
    late = [
        checked("add(2, 3)", "answer(5)", correct=True, problem_id="late"),
        checked("add(2, 3)", "add(5, 1)", "answer(6)", correct=False, problem_id="late"),
    ]
    assert len(pairs_of(*early)) == 6  # no pair chooses it, so the limit does not apply
    kinds = Counter(pair.kind for pair in pairs_of(*early, *late, max_kind_share=1.0))
    assert kinds == {"needless_call": 1, "ungrounded_answer": 1}
