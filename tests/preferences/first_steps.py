"""A pair strategy of a user's own: one function, and one line in PAIR_STRATEGIES."""

from collections.abc import Iterator, Sequence

from callwright.params import PairsParams
from callwright.preferences.forks import step_pairs
from callwright.records import CheckedChain, Pair, Problem
from callwright.tasks.task import Task


def first_step_pairs(
    problem: Problem, task: Task, records: Sequence[CheckedChain], params: PairsParams
) -> Iterator[Pair]:
    """The pairs of the first fork alone: after the system message and the question."""
    return (pair for pair in step_pairs(problem, task, records, params) if len(pair.prompt) == 2)
