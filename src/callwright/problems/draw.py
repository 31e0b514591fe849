"""Use only some of the problems of a split, of every task in proportion."""

from collections.abc import Iterable
from random import Random

from callwright.records import Problem


def draw_problems(problems: Iterable[Problem], count: int | None, seed: int) -> list[Problem]:
    """`count` problems, drawn at random and spread evenly over the tasks, in their order.

    A larger count has the problems of a smaller one and more, so that their finished attempts stay usable.

    Args:
        count: None, or at least as many as there are: all.
    """
    all_problems = list(problems)
    if count is None or count >= len(all_problems):
        return all_problems
    by_task: dict[str, list[int]] = {}
    for index, problem in enumerate(all_problems):
        by_task.setdefault(problem.task, []).append(index)
    positions: list[tuple[float, str, int]] = []
    for task, indices in by_task.items():
        drawn = Random(f"problems/{seed}/{task}").sample(indices, len(indices))
        positions += [((number + 0.5) / len(drawn), task, index) for number, index in enumerate(drawn)]
    return [all_problems[index] for index in sorted(index for _, _, index in sorted(positions)[:count])]
