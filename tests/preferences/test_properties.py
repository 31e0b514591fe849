"""Properties of the pairs of any chains."""

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


def record(index: int, chain_replies: list[str], correct: bool, problem_id: str, protocol: str) -> CheckedChain:
    text_record = checked(*chain_replies, correct=correct, id=f"{problem_id}/{index}", problem_id=problem_id)
    return replace(text_record, chain=replace(text_record.chain, protocol=protocol))


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
    return [(index, *row) for index, row in enumerate(rows)]


def pairs_of(records: list[CheckedChain], params: PairsParams) -> list[Pair]:
    return pairs_from_forks(records, PROBLEMS, TASKS, params)[0]


@given(records, params)
def test_every_margin_is_positive_and_at_least_the_minimum(records, params):
    for pair in pairs_of(records, params):
        assert pair.margin >= params.min_margin - 1e-6  # margins have six decimals
        assert pair.margin > 0
        assert pair.chosen != pair.rejected


@given(records, params)
def test_the_margin_is_a_difference_of_values_or_scores(records, params):
    for pair in pairs_of(records, params):
        tree_records = [
            record
            for record in records
            if record.chain.problem_id == pair.problem_id and (record.chain.protocol == "native") == bool(pair.tools)
        ]
        differences = _differences(tree_records, pair, params.cost_weight)
        assert any(abs(difference - pair.margin) < 1e-5 for difference in differences)


def _differences(records: list[CheckedChain], pair: Pair, cost_weight: float) -> list[float]:
    """The differences of the values of siblings as deep as the pair, and of the scores of whole chains."""
    toolbox = TASKS[PROBLEMS[pair.problem_id].task].toolbox
    depth = sum(_is_reply(message) for message in pair.prompt)
    differences = []
    for path, node in walk(tree_of(records, toolbox, cost_weight)):
        values = [child.value for child in node.children.values()]
        if len(path) == depth:
            differences += [better - worse for better in values for worse in values]
    if depth == 0:
        scores = [score for _, score in score_chains(records, cost_weight)]
        differences += [better - worse for better in scores for worse in scores]
    return differences


def _is_reply(message: dict[str, Any]) -> bool:
    return bool(message["role"] == "assistant")


@given(records, params)
def test_no_pair_is_made_of_a_test_problem(records, params):
    assert all(PROBLEMS[pair.problem_id].split != "test" for pair in pairs_of(records, params))


@given(records, params, st.randoms(use_true_random=False))
def test_the_order_of_the_chains_changes_nothing(records, params, rng):
    shuffled = rng.sample(records, len(records))
    assert pairs_from_forks(shuffled, PROBLEMS, TASKS, params) == pairs_from_forks(records, PROBLEMS, TASKS, params)


@given(records, params)
def test_all_limits_hold_together(records, params):
    pairs = pairs_of(records, params)
    assert all(count <= params.max_per_problem for count in Counter(pair.problem_id for pair in pairs).values())
    for group, share in (("kind", params.max_kind_share), ("task", params.max_task_share)):
        counts = Counter(pair.kind if group == "kind" else PROBLEMS[pair.problem_id].task for pair in pairs)
        if len(counts) > 1:
            assert max(counts.values()) <= share * len(pairs) + 1e-9


@given(records, params)
def test_there_are_no_duplicate_pairs_and_ids_are_unique(records, params):
    pairs = pairs_of(records, params)
    assert len({pair.id for pair in pairs}) == len(pairs)
    assert len({repr((pair.prompt, pair.chosen, pair.rejected)) for pair in pairs}) == len(pairs)


@given(records, params)
def test_every_reply_of_a_pair_is_in_a_chain_of_its_problem(records, params):
    replies = {
        (record.chain.problem_id, TEXT.reply_message(step)["content"])
        for record in records
        for step in record.chain.steps
    }
    for pair in pairs_of(records, params):
        for message in (*pair.chosen, *pair.rejected):
            if _is_reply(message) and not message.get("tool_calls"):
                assert (pair.problem_id, message["content"]) in replies
