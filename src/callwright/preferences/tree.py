"""The chains of one problem as a prefix tree: chains that start alike share a path."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from callwright.functions.toolbox import Toolbox
from callwright.records import CheckedChain, Step


@dataclass(slots=True)
class Node:
    """A step in the context of all before it. The root has no step.

    Attributes:
        score: sum of the scores of the chains through this node (see `tree_of`).
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


def tree_of(chains: Iterable[CheckedChain], toolbox: Toolbox, cost_weight: float) -> Node:
    """Merge the chains of one problem by canonical call.

    A correct chain scores 1 less `cost_weight` for each step beyond the shortest correct chain (at least 0), an
    incorrect one 0. The order of the chains does not matter.

    Args:
        chains: all of the same problem.
        cost_weight: what one extra step costs, in shares of a right answer.
    """
    ordered = sorted(chains, key=lambda record: record.chain.id)
    fewest = min((len(record.chain.steps) for record in ordered if record.verdict.correct), default=0)
    root = Node()
    for record in ordered:
        correct = record.verdict.correct
        extra = len(record.chain.steps) - fewest
        score = max(0.0, 1.0 - cost_weight * extra) if correct else 0.0
        node = root
        _count(node, score, correct)
        for step in record.chain.steps:
            node = node.children.setdefault(step_key(step, toolbox), Node(step))
            _count(node, score, correct)
    return root


def _count(node: Node, score: float, correct: bool) -> None:
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
