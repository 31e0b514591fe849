"""The chains of one problem as a prefix tree, in which chains that start alike share a path."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from callwright.functions.toolbox import Toolbox
from callwright.records import CheckedChain, Step

MARGIN_TOLERANCE = 1e-9  # margins are differences of sums of floats


@dataclass(slots=True)
class Node:
    """A step after the steps of its path. The root has no step.

    Attributes:
        step: the step of the chain with the highest score through this node, because other chains may have the same
            call with other words.
        score: sum of the scores of the chains through this node (see `score_chains`).
        count: number of chains through this node.
        correct: number of correct chains through this node.
    """

    step: Step | None = None
    children: dict[str, "Node"] = field(default_factory=dict)
    score: float = 0.0
    count: int = 0
    correct: int = 0

    @property
    def value(self) -> float:
        """Mean score of the chains through this node: the share of correct chains, less the cost of extra steps."""
        return self.score / self.count

    def child(self, key: str) -> "Node":
        """The child with a canonical call (see `step_key`)."""
        return self.children[key]


def score_chains(chains: Iterable[CheckedChain], cost_weight: float) -> list[tuple[CheckedChain, float]]:
    """The chains of one problem, ordered by their ids, each with its score from 0 to 1.

    An incorrect chain scores 0. A correct chain scores 1, less `cost_weight` for each step more than the shortest
    correct chain has, and at least 0.
    """
    ordered = sorted(chains, key=lambda record: record.chain.id)
    shortest_steps = min((len(record.chain.steps) for record in ordered if record.verdict.correct), default=0)
    costs = [cost_weight * (len(record.chain.steps) - shortest_steps) for record in ordered]
    return [
        (record, max(0.0, 1.0 - cost) if record.verdict.correct else 0.0)
        for record, cost in zip(ordered, costs, strict=True)
    ]


def tree_of(chains: Iterable[CheckedChain], toolbox: Toolbox, cost_weight: float) -> Node:
    """Merge the chains of one problem by canonical call; the order of the chains does not matter.

    Args:
        chains: chains of the same problem.
        cost_weight: what an extra step costs, as a share of the score 1 of a correct chain.
    """
    root = Node()
    # A node keeps the first step stored in it, so the best chain goes first.
    for record, score in sorted(score_chains(chains, cost_weight), key=lambda scored: -scored[1]):
        correct = record.verdict.correct
        node = root
        _add_chain(node, score, correct)
        for step in record.chain.steps:
            node = node.children.setdefault(step_key(step, toolbox), Node(step))
            _add_chain(node, score, correct)
    return root


def _add_chain(node: Node, score: float, correct: bool) -> None:
    node.score += score
    node.count += 1
    node.correct += correct


def step_key(step: Step, toolbox: Toolbox) -> str:
    """Steps with the same key are the same decision: the canonical call, or the text of a reply without a call."""
    return toolbox.canonical(step.call) if step.call else f"unreadable: {step.thought}"


def walk(node: Node, path: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Node]]:
    """All nodes that have children, each with the steps that lead to it, depth first and ordered by key."""
    if not node.children:
        return
    yield path, node
    for key in sorted(node.children):
        child = node.children[key]
        assert child.step is not None
        yield from walk(child, (*path, child.step))
