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
RIGHT = checked("add(2, 3)", "answer(5)", correct=True)


def params(**changes: float | str) -> PairsParams:
    values = {"mode": "step", "min_margin": 0.3, "cost_weight": 0.0, "max_per_problem": 99}
    return PairsParams(**{**values, "max_kind_share": 1.0, "max_task_share": 1.0, **changes})


def pairs_of(*records: CheckedChain, **changes: float | str) -> list[Pair]:
    ids = {record.chain.problem_id for record in records}
    return pairs_from_forks(records, {name: problem(id=name) for name in ids}, params(**changes))[0]


def sides(pairs: list[Pair]) -> list[tuple[str, str]]:
    return [(pair.chosen[0]["content"], pair.rejected[0]["content"]) for pair in pairs]


def wrong(*replies: str | Step, **changes: object) -> CheckedChain:
    return checked(*replies, correct=False, **changes)


def test_a_pair_is_made_where_the_chains_part():
    (pair,) = pairs_of(RIGHT, wrong("add(b=3, a=2)", "answer(6)"))
    assert pair.prompt == tuple(TEXT.render(TASK, problem().question, chain("add(2, 3)").steps)[0])
    assert pair.chosen == ({"role": "assistant", "content": "answer(value=5)"},)
    assert pair.rejected == ({"role": "assistant", "content": "answer(value=6)"},)
    assert (pair.problem_id, pair.margin, pair.tools) == ("p", 1.0, ())


def test_the_margin_is_the_gap_between_the_values_of_the_siblings():
    # add(2, 3) leads to a right answer in three of four chains, add(3, 3) in one of four: 3/4 - 1/4
    records = [checked("add(2, 3)", "answer(5)", correct=place < 3, id=f"a{place}") for place in range(4)]
    records += [checked("add(3, 3)", "answer(6)", correct=place < 1, id=f"b{place}") for place in range(4)]
    (pair,) = pairs_of(*records)
    assert pair.margin == 0.5
    assert sides([pair]) == [("add(a=2, b=3)", "add(a=3, b=3)")]


def test_a_gap_below_the_minimum_makes_no_pair_and_one_at_it_does():
    records = [checked("add(2, 3)", "answer(5)", correct=place < 7, id=f"a{place}") for place in range(10)]
    records += [checked("add(3, 3)", "answer(6)", correct=place < 4, id=f"b{place}") for place in range(10)]
    assert len(pairs_of(*records, min_margin=0.3)) == 1  # 7/10 - 4/10, which floats put a hair below 0.3
    assert pairs_of(*records, min_margin=0.31) == []


def test_equal_siblings_make_no_pair():
    assert pairs_of(RIGHT, checked("add(3, 2)", "answer(5)", correct=True), min_margin=0.01) == []
    assert pairs_of(wrong("add(2, 3)", "answer(6)"), wrong("add(3, 2)", "answer(6)"), min_margin=0.01) == []


def test_a_single_chain_makes_no_pair():
    assert pairs_of(RIGHT) == []


def test_the_best_sibling_is_paired_with_each_that_is_worse():
    pairs = pairs_of(RIGHT, wrong("add(3, 3)", "answer(6)"), wrong("subtract(2, 3)", "answer(-1)"))
    assert sides(pairs) == [("add(a=2, b=3)", "add(a=3, b=3)"), ("add(a=2, b=3)", "subtract(a=2, b=3)")]


def test_a_failed_step_is_never_chosen():
    # the only right chain began with a mistake
    lucky = checked("sum(2, 3)", "add(2, 3)", "answer(5)", correct=True)
    assert pairs_of(lucky, wrong("add(3, 3)", "answer(6)")) == []


def test_a_mistake_that_was_mended_does_not_hide_the_fork_of_its_siblings():
    lucky = checked("sum(2, 3)", "add(2, 3)", "answer(5)", correct=True)  # worth 1
    records = [checked("add(2, 3)", "answer(5)", correct=place < 1, id=f"a{place}") for place in range(2)]  # 1/2
    (pair,) = pairs_of(lucky, *records, wrong("add(3, 3)", "answer(6)"))
    assert (sides([pair]), pair.margin) == ([("add(a=2, b=3)", "add(a=3, b=3)")], 0.5)


@pytest.mark.parametrize(
    ("worse", "kind"),
    [
        (wrong("add(2, 3", "answer(6)"), "syntax"),
        (wrong("sum(2, 3)", "answer(6)"), "unknown_function"),
        (wrong("add(2)", "answer(6)"), "bad_arguments"),
        (wrong("divide(2, 0)", "answer(6)"), "execution_error"),
        (wrong("multiply(2, 3)", "answer(6)"), "wrong_call"),
        (wrong("answer(5)"), "ungrounded_answer"),
        (wrong("add(2, 3)", "add(2, 3)", "answer(6)"), "repeated_call"),
        (wrong("add(2, 3)", "answer(6)"), "ungrounded_answer"),
        (wrong("add(2, 3)", "add(5, 1)", "answer(6)"), "needless_call"),
    ],
)
def test_the_kind_says_what_is_wrong_with_the_rejected_step(worse, kind):
    assert [pair.kind for pair in pairs_of(RIGHT, worse)] == [kind]


def test_an_answer_with_the_result_of_another_call_is_a_wrong_answer():
    right = checked("multiply(2, 3)", "subtract(6, 1)", "answer(5)", correct=True)
    (pair,) = pairs_of(right, wrong("multiply(2, 3)", "subtract(6, 1)", "answer(6)"))
    assert pair.kind == "wrong_answer"


def test_a_longer_way_to_the_right_answer_is_a_detour():
    longer = checked("add(1, 1)", "add(2, 2)", "add(2, 3)", "answer(5)", correct=True)
    (pair,) = pairs_of(RIGHT, longer, cost_weight=0.2)
    assert (pair.kind, pair.margin) == ("detour", 0.4)  # two extra steps
    assert sides([pair]) == [("add(a=2, b=3)", "add(a=1, b=1)")]


def test_a_problem_gives_its_cap_of_pairs_distinct_kinds_first():
    records = [RIGHT, wrong("sum(2, 3)"), wrong("add(3, 3)", "answer(6)"), wrong("add(4, 3)", "answer(7)")]
    assert Counter(pair.kind for pair in pairs_of(*records)) == {"unknown_function": 1, "wrong_call": 2}
    assert Counter(pair.kind for pair in pairs_of(*records, max_per_problem=2)) == {
        "unknown_function": 1,
        "wrong_call": 1,
    }


def test_of_one_kind_the_widest_margins_are_kept():
    near = [checked("add(4, 1)", "answer(5)", correct=place < 1, id=f"near {place}") for place in range(2)]
    pairs = pairs_of(RIGHT, wrong("add(3, 3)", "answer(6)"), *near, max_per_problem=2)
    # at the root 1 - 0 and 1 - 1/2; the chains of `near` do not fork
    assert sorted(pair.margin for pair in pairs) == [0.5, 1.0]
    assert [pair.margin for pair in pairs_of(RIGHT, wrong("add(3, 3)", "answer(6)"), *near, max_per_problem=1)] == [1.0]


def many(kind: str, count: int) -> list[CheckedChain]:
    """Problems with one pair each, of one kind."""
    replies = {
        "unknown_function": "sum(2, 3)",
        "wrong_call": "add(3, 3)",
        "syntax": "add(2",
        "ungrounded_answer": "answer(6)",
    }
    bad = replies[kind]
    return [
        record
        for place in range(count)
        for record in (
            checked("add(2, 3)", "answer(5)", correct=True, problem_id=f"{kind} {place}"),
            checked(bad, correct=False, problem_id=f"{kind} {place}"),
        )
    ]


def test_no_kind_outweighs_the_others():
    records = [*many("wrong_call", 10), *many("unknown_function", 2), *many("syntax", 1)]
    assert Counter(pair.kind for pair in pairs_of(*records, max_kind_share=0.5)) == {
        "wrong_call": 3,  # half of six
        "unknown_function": 2,
        "syntax": 1,
    }


def test_a_mix_that_is_balanced_already_is_kept_whole():
    assert len(pairs_of(*many("wrong_call", 4), *many("syntax", 4), max_kind_share=0.5)) == 8


def test_a_single_kind_is_kept_whole():
    assert len(pairs_of(*many("wrong_call", 4), max_kind_share=0.5)) == 4


def test_the_report_counts_what_was_found_and_what_was_kept():
    records = [*many("wrong_call", 4), *many("syntax", 1)]
    problems = {record.chain.problem_id: problem(id=record.chain.problem_id) for record in records}
    pairs, report = pairs_from_forks(records, problems, params(max_kind_share=0.5))
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
    records = (RIGHT, wrong("add(2, 3)", "answer(6)"))
    _, report = pairs_from_forks(records, {"p": problem()}, params())
    assert (report["answer_chosen"], report["answer_rejected"]) == (1, 1)


def native(record: CheckedChain) -> CheckedChain:
    return replace(record, chain=replace(record.chain, protocol="native"))


def test_a_native_pair_is_a_tool_call_with_the_tools_that_were_offered():
    (pair,) = pairs_of(native(RIGHT), native(wrong("add(b=3, a=2)", "answer(6)")))
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


def test_chains_of_the_two_protocols_make_trees_of_their_own():
    mixed = [RIGHT, native(wrong("add(3, 3)", "answer(6)"))]
    assert pairs_of(*mixed) == []
    pairs = pairs_of(*mixed, wrong("add(4, 3)", "answer(7)"), native(RIGHT))
    assert [(pair.id, bool(pair.tools)) for pair in pairs] == [("p#0", False), ("p#1", True)]


def test_native_answers_are_counted_as_answers():
    _, report = pairs_from_forks((native(RIGHT), native(wrong("add(2, 3)", "answer(6)"))), {"p": problem()}, params())
    assert (report["answer_chosen"], report["answer_rejected"]) == (1, 1)


replies = st.sampled_from(["add(2, 3)", "add(b=3, a=2)", "add(3, 3)", "add(2", "sum(2, 3)", "answer(5)", "answer(6)"])
drawn = st.lists(
    st.tuples(st.lists(replies, min_size=1, max_size=4), st.booleans(), st.sampled_from("pq")), min_size=1, max_size=12
)
records = drawn.map(
    lambda rows: [
        checked(*said, correct=right, id=str(place), problem_id=name) for place, (said, right, name) in enumerate(rows)
    ]
)


@given(records, st.randoms(use_true_random=False), st.sampled_from([0.0, 0.1]), st.sampled_from([2, 99]))
def test_the_order_of_the_chains_does_not_matter(records, rng, cost_weight, cap):
    shuffled = rng.sample(records, len(records))
    bounds = {"cost_weight": cost_weight, "max_per_problem": cap, "max_kind_share": 0.5}
    assert pairs_of(*shuffled, **bounds) == pairs_of(*records, **bounds)


@given(records)
def test_chosen_is_never_worth_less_than_rejected(records):
    worth: dict[tuple[str, str, str], float] = {}
    for name in {record.chain.problem_id for record in records}:
        own = [record for record in records if record.chain.problem_id == name]
        for path, node in walk(tree_of(own, TOOLBOX, 0.0)):
            prompt = str(TEXT.render(TASK, problem().question, path)[0])
            for child in node.children.values():
                worth[name, prompt, TEXT.reply_message(child.step)["content"]] = child.value
    for pair in pairs_of(*records, min_margin=0.05):
        better, worse = (
            worth[pair.problem_id, str(list(pair.prompt)), side[0]["content"]] for side in (pair.chosen, pair.rejected)
        )
        assert better - worse == pytest.approx(pair.margin, abs=1e-6)
        assert pair.margin >= 0.05


@given(records)
def test_chosen_and_rejected_differ_and_ids_are_unique(records):
    pairs = pairs_of(*records, min_margin=0.05)
    assert all(pair.chosen != pair.rejected for pair in pairs)
    assert len({pair.id for pair in pairs}) == len(pairs)


def test_a_reply_that_was_cut_off_is_not_paired_with_its_own_text():
    cut = Step("add(a=2, b=3)", None, StepError("syntax", "the reply was cut off; write one short call"), None)
    assert all(chosen != rejected for chosen, rejected in sides(pairs_of(RIGHT, wrong(cut))))


def test_a_share_below_a_half_is_refused_because_two_kinds_could_exceed_it():
    with pytest.raises(ValidationError):
        params(max_kind_share=0.4)


def test_answer_is_not_rejected_more_often_than_chosen_where_it_is_chosen():
    early = many("ungrounded_answer", 6)
    late = [
        checked("add(2, 3)", "answer(5)", correct=True, problem_id="late"),
        checked("add(2, 3)", "add(5, 1)", "answer(6)", correct=False, problem_id="late"),
    ]
    assert len(pairs_of(*early)) == 6  # nothing chooses it: there is nothing to balance with
    kinds = Counter(pair.kind for pair in pairs_of(*early, *late, max_kind_share=1.0))
    assert kinds == {"needless_call": 1, "ungrounded_answer": 1}
