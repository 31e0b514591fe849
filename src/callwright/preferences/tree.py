"""The chains of one problem as a prefix tree: chains that start alike share a path."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from callwright.functions.toolbox import Toolbox
from callwright.records import CheckedChain, Step

MARGIN_TOLERANCE = 1e-9  # margins are differences of sums of floats


@dataclass(slots=True)
class Node:
    """A step in the context of all before it. The root has no step.

    Attributes:
        step: as the best chain through this node words it: what is chosen is never the words of a worse one.
        score: sum of the scores of the chains through this node (see `scored`).
        count: number of chains through it.
        correct: how many of them are correct.
    """

    step: Step | None = None
    children: dict[str, "Node"] = field(default_factory=dict)
    score: float = 0.0
    count: int = 0
    correct: int = 0

    @property
    def value(self) -> float:
        """Mean score of the chains below: the share of correct ones, less what their extra calls cost."""
        return self.score / self.count

    def child(self, key: str) -> "Node":
        """The child reached by a canonical call."""
        return self.children[key]


def score_chains(chains: Iterable[CheckedChain], cost_weight: float) -> list[tuple[CheckedChain, float]]:
    """The chains of one problem in the order of their ids, each with what it is worth, in shares of a right answer.

    A correct chain scores 1 less `cost_weight` for each step beyond the shortest correct chain (at least 0), an
    incorrect one 0: of two right chains the economical one is worth more.
    """
    ordered = sorted(chains, key=lambda record: record.chain.id)
    fewest = min((len(record.chain.steps) for record in ordered if record.verdict.correct), default=0)
    costs = [cost_weight * (len(record.chain.steps) - fewest) for record in ordered]
    return [
        (record, max(0.0, 1.0 - cost) if record.verdict.correct else 0.0)
        for record, cost in zip(ordered, costs, strict=True)
    ]


def tree_of(chains: Iterable[CheckedChain], toolbox: Toolbox, cost_weight: float) -> Node:
    """Merge the chains of one problem by canonical call; their order does not matter.

    Args:
        chains: all of the same problem.
        cost_weight: what one extra step costs, in shares of a right answer.
    """
    root = Node()
    for record, score in sorted(
        score_chains(chains, cost_weight), key=lambda row: -row[1]
    ):  # the best one's words stay
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
    """What makes two steps the same decision: the canonical call, or the text of a reply without a readable one."""
    return toolbox.canonical(step.call) if step.call else f"unreadable: {step.thought}"


def walk(node: Node, path: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Node]]:
    """All nodes that have children, each with the steps that lead to it; depth first, in the order of keys."""
    if not node.children:
        return
    yield path, node
    for key in sorted(node.children):
        child = node.children[key]
        assert child.step is not None
        yield from walk(child, (*path, child.step))
