"""Put problems into splits by whole groups, and leave repeated questions out."""

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

_TOLERANCE_PROBLEMS = 1e-6  # of problems: how far sums of shares may be off
_SPLIT_PRECEDENCE: tuple[Split, ...] = ("test", "dev", "train")  # who keeps a question that occurs in several splits


def split_by_group(problems: Sequence[Problem], shares: Mapping[Split, float], seed: int) -> list[Problem]:
    """The problems, in the same order, each with the split of its group.

    A group that has problems of several tasks stays whole too. Groups of the same task (or the same set of tasks) are
    shared out among the splits by themselves, so that every task has its share of every split, up to the size of its
    largest groups. The order of `problems` does not matter, and a problem that is alone in a group named as itself
    is placed by its question: such names are made of row numbers. A further problem moves few others
    (`_assign_splits`).

    Args:
        shares: weights, such as {"train": 0.8, "dev": 0.1, "test": 0.1}; a split that is missing gets nothing.

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
    chosen: dict[str, Split] = {}
    for names in strata.values():
        names.sort(key=lambda name: (_order_key(name, groups[name], seed), name))
        chosen |= _assign_splits({name: len(groups[name]) for name in names}, weights)
    return [replace(problem, split=chosen[problem.group]) for problem in problems]


def _order_key(group: str, members: Sequence[Problem], seed: int) -> bytes:
    """A group's sort key: random, but always the same."""
    alone = len(members) == 1 and members[0].id == group
    return sha256(f"{seed}/{members[0].question if alone else group}".encode()).digest()


def _assign_splits(sizes: Mapping[str, int], weights: Mapping[Split, float]) -> dict[str, Split]:
    """A split for each group. No split exceeds its share by a whole group.

    A large group goes to the split that lacks most problems. The other groups, in their order, are cut into splits. A
    further group moves a cut by no more than its size, so nearly all groups keep their split, and the chains that were
    paid for stay usable.
    """
    problem_count, total = sum(sizes.values()), sum(weights.values())
    lacking = {split: problem_count * weight / total for split, weight in weights.items()}
    large = min(lacking.values()) / 2
    chosen: dict[str, Split] = {}
    for group, size in sizes.items():
        if size > max(large, 1):
            chosen[group] = max(lacking, key=lambda split: lacking[split])
            lacking[chosen[group]] -= size
    small = {group: size for group, size in sizes.items() if group not in chosen}
    free = {split: lack for split, lack in lacking.items() if lack > 0}  # a large group may have overfilled one
    splits, ends = list(free), list(accumulate(free.values()))
    preceding = 0
    for group, size in small.items():
        middle = (preceding + size / 2) * sum(free.values()) / sum(small.values())
        chosen[group] = splits[min(bisect_left(ends, middle - _TOLERANCE_PROBLEMS), len(ends) - 1)]
        preceding += size
    return chosen


def deduplicate(problems: Sequence[Problem]) -> tuple[list[Problem], list[DroppedRow]]:
    """Each question of a task once, in order, and the problems left out, each with the id of the one that stays.

    Questions are compared by `normalise`. Where a question occurs in several splits, test keeps it before dev and dev
    before train, so that it is never learned from; within a split the first one stays.
    """
    keyed = [(_question_key(problem), problem) for problem in problems]
    keepers: dict[tuple[str, str], Problem] = {}
    for split in _SPLIT_PRECEDENCE:
        for key, problem in keyed:
            if problem.split == split:
                keepers.setdefault(key, problem)
    unique, dropped = [], []
    for key, problem in keyed:
        keeper = keepers[key]
        if keeper is problem:
            unique.append(problem)
        else:
            reason = DUPLICATE if keeper.answer == problem.answer else DUPLICATE_WITH_OTHER_ANSWER
            dropped.append(DroppedRow(problem.id, reason, keeper.id))
    return unique, dropped


def _question_key(problem: Problem) -> tuple[str, str]:
    return problem.task, normalise(problem.question)
