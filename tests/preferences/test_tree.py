import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.preferences.tree import Node, tree_of, walk
from callwright.records import CheckedChain
from tests.fakes import TOOLBOX, checked

replies = st.sampled_from(["add(2, 3)", "add(b=3, a=2)", "add(3, 2)", "add(2", "sum(2, 3)", "answer(5)", "answer(6)"])
chains = st.lists(st.tuples(st.lists(replies, min_size=1, max_size=4), st.booleans()), min_size=1, max_size=8).map(
    lambda drawn: [
        checked(*chain_replies, correct=correct, id=str(index)) for index, (chain_replies, correct) in enumerate(drawn)
    ]
)


def tree(*chains: CheckedChain, cost_weight: float = 0.0) -> Node:
    return tree_of(chains, TOOLBOX, cost_weight)


def test_value_is_the_share_of_correct_chains_below_a_node():
    root = tree(checked("add(2, 3)", "answer(5)", correct=True), checked("add(2, 3)", "answer(6)", correct=False))
    node = root.child("add(a=2, b=3)")
    assert node.value == 1 / 2  # one of two
    assert node.child("answer(value=5)").value == 1
    assert node.child("answer(value=6)").value == 0


def test_chains_that_start_with_the_same_calls_share_a_path_even_if_the_text_differs():
    root = tree(
        checked("add(2, 3)", "answer(5)", correct=True),
        checked("So.\nadd(b=3.0, a=2)", "answer('5')", correct=True),
        checked("add(3, 2)", "answer(5)", correct=True),
    )
    assert {key: child.count for key, child in root.children.items()} == {"add(a=2, b=3)": 2, "add(a=3, b=2)": 1}
    assert len(root.child("add(a=2, b=3)").children) == 1


def test_the_step_of_a_node_is_that_of_the_best_chain_through_it():
    root = tree(
        checked("A guess.\nadd(2, 3)", "answer(6)", correct=False, id="a"),
        checked("Two and three.\nadd(2, 3)", "answer(5)", correct=True, id="b"),
    )
    assert root.child("add(a=2, b=3)").step.thought == "Two and three."


def test_each_extra_step_costs_the_weight():
    root = tree(
        checked("add(2, 3)", "answer(5)", correct=True),
        checked("add(1, 1)", "add(2, 2)", "add(2, 3)", "answer(5)", correct=True),
        cost_weight=0.1,
    )
    assert root.child("add(a=2, b=3)").value == 1
    assert root.child("add(a=1, b=1)").value == 1 - 0.1 * 2  # four steps instead of two
    assert root.value == (1 + 0.8) / 2


def test_the_score_is_at_least_zero():
    root = tree(
        checked("answer(5)", correct=True),
        checked("add(1, 1)", "add(2, 2)", "answer(5)", correct=True),
        cost_weight=0.9,
    )
    assert root.child("add(a=1, b=1)").value == 0  # 1 - 0.9 x 2 would be -0.8


def test_steps_are_compared_with_the_shortest_correct_chain_only():
    root = tree(checked("answer(6)", correct=False), checked("add(2, 3)", "answer(5)", correct=True), cost_weight=0.5)
    assert root.child("add(a=2, b=3)").value == 1


def test_without_a_correct_chain_every_value_is_zero():
    root = tree(checked("answer(6)", correct=False), checked("answer(7)", correct=False), cost_weight=0.5)
    assert root.value == 0


def test_unreadable_replies_with_the_same_text_are_the_same_decision():
    root = tree(*(checked(reply, correct=False) for reply in ("add(2", "add(2", "add(3")))
    assert {key: child.count for key, child in root.children.items()} == {
        "unreadable: add(2": 2,
        "unreadable: add(3": 1,
    }


def test_walk_yields_each_node_with_children_and_the_steps_that_lead_to_it():
    root = tree(
        checked("add(2, 3)", "answer(5)", correct=True),
        checked("add(2, 3)", "add(5, 1)", "answer(6)", correct=False),
    )
    paths = [[step.call.arguments for step in path] for path, _ in walk(root)]
    two_three, five_one = {"a": 2, "b": 3}, {"a": 5, "b": 1}
    assert paths == [[], [two_three], [two_three, five_one]]


@given(chains, st.randoms(use_true_random=False), st.floats(0, 1))
def test_the_order_of_the_chains_does_not_matter(chains, rng, cost_weight):
    shuffled = rng.sample(chains, len(chains))
    assert tree(*shuffled, cost_weight=cost_weight) == tree(*chains, cost_weight=cost_weight)


@given(chains, st.floats(0, 1))
def test_the_count_of_a_node_is_at_least_the_sum_over_its_children(chains, cost_weight):
    root = tree(*chains, cost_weight=cost_weight)
    assert root.count == len(chains)
    assert root.correct == sum(record.verdict.correct for record in chains)
    for _, node in walk(root):
        assert sum(child.count for child in node.children.values()) <= node.count
        assert all(0 <= child.value <= 1 for child in node.children.values())
        assert all(child.value <= child.correct / child.count for child in node.children.values())


@given(chains)
def test_without_a_cost_the_value_is_the_share_of_correct_chains(chains):
    for _, node in walk(tree(*chains)):
        assert node.value == pytest.approx(node.correct / node.count)
