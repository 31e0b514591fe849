"""What holds of the pairs whatever the chains are."""

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from callwright.agent.protocol import TEXT
from callwright.params import PairsParams
from callwright.preferences.forks import pairs_from_forks
from callwright.preferences.tree import score_chains, tree_of, walk
from callwright.records import CheckedChain, Pair, Problem
from callwright.tasks import TASKS
from tests.fakes import checked, problem

# Four problems: two tasks in train, one in dev, one in test
PROBLEMS: dict[str, Problem] = {
    "a": problem(id="a"),
    "b": problem(id="b", question="Ben has 2 nuts and finds 3. How many?", task="translation"),
    "c": problem(id="c", question="Cy has 2 keys and 3 more. How many?", split="dev"),
    "t": problem(id="t", question="Tom has 2 pens and buys 3. How many?", split="test"),
}
replies = st.sampled_from(["add(2, 3)", "add(b=3, a=2)", "add(3, 3)", "add(2", "sum(2, 3)", "answer(5)", "answer(6)"])
drawn = st.tuples(
    st.lists(replies, min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from("aaabct"),
    st.sampled_from(["text", "native"]),
)


def record(place: int, said: list[str], correct: bool, name: str, protocol: str) -> CheckedChain:
    made = checked(*said, correct=correct, id=f"{name}/{place}", problem_id=name)
    return replace(made, chain=replace(made.chain, protocol=protocol))


records = st.lists(drawn, min_size=1, max_size=16).map(lambda rows: [record(*row) for row in _numbered(rows)])
params = st.builds(
    PairsParams,
    mode=st.sampled_from(["step", "chain", "both"]),
    min_margin=st.floats(0.01, 1),
    cost_weight=st.floats(0, 1),
    max_per_problem=st.integers(1, 6),
    max_kind_share=st.floats(0.5, 1),
    max_task_share=st.floats(0.5, 1),
)


def _numbered(rows: list[tuple]) -> list[tuple]:
    return [(place, *row) for place, row in enumerate(rows)]


def made(records: list[CheckedChain], params: PairsParams) -> list[Pair]:
    return pairs_from_forks(records, PROBLEMS, params)[0]


@given(records, params)
def test_no_margin_is_below_the_minimum_and_none_is_a_tie(records, params):
    for pair in made(records, params):
        assert pair.margin >= params.min_margin - 1e-6  # margins have six decimals
        assert pair.margin > 0
        assert pair.chosen != pair.rejected


@given(records, params)
def test_chosen_is_worth_more_than_rejected_by_just_the_margin(records, params):
    for pair in made(records, params):
        own = [one for one in records if one.chain.problem_id == pair.problem_id]
        own = [one for one in own if (one.chain.protocol == "native") == bool(pair.tools)]
        worths = _worths(own, pair, params.cost_weight)
        assert any(abs(better - worse - pair.margin) < 1e-5 for better, worse in worths)


def _worths(own: list[CheckedChain], pair: Pair, cost_weight: float) -> list[tuple[float, float]]:
    """What the two sides are worth: as siblings of the tree, or as whole chains."""
    toolbox, before = TASKS[PROBLEMS[pair.problem_id].task].toolbox, sum(_is_reply(one) for one in pair.prompt)
    found = []
    for path, node in walk(tree_of(own, toolbox, cost_weight)):
        values = [child.value for child in node.children.values()]
        if len(path) == before:
            found += [(better, worse) for better in values for worse in values]
    if before == 0:
        scores = [score for _, score in score_chains(own, cost_weight)]
        found += [(better, worse) for better in scores for worse in scores]
    return found


def _is_reply(message: dict[str, Any]) -> bool:
    return bool(message["role"] == "assistant")


@given(records, params)
def test_a_test_problem_is_in_no_pair(records, params):
    assert all(PROBLEMS[pair.problem_id].split != "test" for pair in made(records, params))


@given(records, params, st.randoms(use_true_random=False))
def test_the_order_of_the_chains_changes_nothing(records, params, rng):
    shuffled = rng.sample(records, len(records))
    assert pairs_from_forks(shuffled, PROBLEMS, params) == pairs_from_forks(records, PROBLEMS, params)


@given(records, params)
def test_the_caps_hold_together(records, params):
    pairs = made(records, params)
    assert all(count <= params.max_per_problem for count in Counter(pair.problem_id for pair in pairs).values())
    for group, share in (("kind", params.max_kind_share), ("task", params.max_task_share)):
        counts = Counter(pair.kind if group == "kind" else PROBLEMS[pair.problem_id].task for pair in pairs)
        if len(counts) > 1:
            assert max(counts.values()) <= share * len(pairs) + 1e-9


@given(records, params)
def test_no_pair_is_there_twice_and_ids_are_unique(records, params):
    pairs = made(records, params)
    assert len({pair.id for pair in pairs}) == len(pairs)
    assert len({repr((pair.prompt, pair.chosen, pair.rejected)) for pair in pairs}) == len(pairs)


@given(records, params)
def test_every_reply_of_a_pair_was_given_in_a_chain_of_its_problem(records, params):
    said = {(one.chain.problem_id, TEXT.reply_message(step)["content"]) for one in records for step in one.chain.steps}
    for pair in made(records, params):
        for message in (*pair.chosen, *pair.rejected):
            if _is_reply(message) and not message.get("tool_calls"):
                assert (pair.problem_id, message["content"]) in said
