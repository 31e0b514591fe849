"""Assign whole groups of problems to splits, and drop repeated questions."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import accumulate

from callwright.problems.decontaminate import normalise
from callwright.problems.source import DroppedRow
from callwright.records import SPLITS, Problem, Split

DUPLICATE = "duplicate question"
DUPLICATE_WITH_OTHER_ANSWER = "duplicate question with another answer"

_TOLERANCE_PROBLEMS = 1e-6  # rounding errors of sums of shares, in problems
_SPLIT_PRECEDENCE: tuple[Split, ...] = (
    "test",
    "dev",
    "train",
)  # the first of these keeps a question that occurs in several splits


def split_by_group(problems: Sequence[Problem], shares: Mapping[Split, float], seed: int) -> list[Problem]:
    """Assign a split to each group; returns the problems in the same order, each with the split of its group.

    Each task is split separately, so that it has its share of every split, up to the size of its largest groups; groups
    that have several tasks are split separately for each set of tasks. The order of `problems` does not matter. An
    additional problem moves few others to another split (`_assign_splits`).

    Args:
        shares: weights, such as {"train": 0.8, "dev": 0.1, "test": 0.1}; a missing split gets no problems.

    Raises:
        ValueError: a share is negative, or none is positive.
    """
    weights = {split: shares[split] for split in SPLITS if shares.get(split, 0) > 0}
    if not weights or min(shares.values()) < 0:
        raise ValueError(f"shares must not be negative and one must be positive, not {dict(shares)}")
    groups: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        groups[problem.group].append(problem)
    strata: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for group, members in groups.items():
        strata[tuple(sorted({problem.task for problem in members}))].append(group)
    split_of_group: dict[str, Split] = {}
    for names in strata.values():
        names.sort(key=lambda name: (_order_key(name, groups[name], seed), name))
        split_of_group |= _assign_splits({name: len(groups[name]) for name in names}, weights)
    return [replace(problem, split=split_of_group[problem.group]) for problem in problems]


def _order_key(group: str, members: Sequence[Problem], seed: int) -> bytes:
    """A group's sort key: random, but the same in every run with this seed.

    A problem whose group is its own id is ordered by its question, because such ids contain row numbers.
    """
    is_single_problem = len(members) == 1 and members[0].id == group
    return sha256(f"{seed}/{members[0].question if is_single_problem else group}".encode()).digest()


def _assign_splits(sizes: Mapping[str, int], weights: Mapping[Split, float]) -> dict[str, Split]:
    """A split for each group. No split exceeds its share by a whole group.

    A large group goes to the split with the most missing problems. The small groups, in their order, form one sequence
    that is cut into the splits. An additional group moves a cut by at most its size, so nearly all groups keep their
    split, and paid rollouts stay usable.

    Args:
        sizes: problems in each group; the order of the groups counts.
    """
    problem_count, total = sum(sizes.values()), sum(weights.values())
    missing_problems = {split: problem_count * weight / total for split, weight in weights.items()}
    large_size = max(min(missing_problems.values()) / 2, 1)
    chosen_splits: dict[str, Split] = {}
    for group, size in sizes.items():
        if size > large_size:
            chosen_splits[group] = max(missing_problems, key=lambda split: missing_problems[split])
            missing_problems[chosen_splits[group]] -= size
    small_groups = {group: size for group, size in sizes.items() if group not in chosen_splits}
    open_splits = {split: missing for split, missing in missing_problems.items() if missing > 0}
    splits, ends = list(open_splits), list(accumulate(open_splits.values()))
    problems_before = 0
    for group, size in small_groups.items():
        middle = (problems_before + size / 2) * sum(open_splits.values()) / sum(small_groups.values())
        chosen_splits[group] = splits[min(bisect_left(ends, middle - _TOLERANCE_PROBLEMS), len(ends) - 1)]
        problems_before += size
    return chosen_splits


def deduplicate(problems: Sequence[Problem]) -> tuple[list[Problem], list[DroppedRow]]:
    """Keep each question of a task once.

    Questions are compared after `normalise`. If a question occurs in several splits, it stays in test rather than dev,
    and in dev rather than train, so that it is never trained on. Within a split, the first problem stays.

    Returns:
        The problems to keep, in order, and the dropped ones (by id), each with the id of the problem that stays.
    """
    keyed_problems = [(_question_key(problem), problem) for problem in problems]
    keepers: dict[tuple[str, str], Problem] = {}
    for split in _SPLIT_PRECEDENCE:
        for key, problem in keyed_problems:
            if problem.split == split:
                keepers.setdefault(key, problem)
    unique, dropped = [], []
    for key, problem in keyed_problems:
        keeper = keepers[key]
        if keeper is problem:
            unique.append(problem)
        else:
            reason = DUPLICATE if keeper.answer == problem.answer else DUPLICATE_WITH_OTHER_ANSWER
            dropped.append(DroppedRow(problem.id, reason, keeper.id))
    return unique, dropped


def _question_key(problem: Problem) -> tuple[str, str]:
    return problem.task, normalise(problem.question)
