"""Put problems into splits by whole groups, and leave repeated questions out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from callwright.problems.decontaminate import normalise
from callwright.problems.source import LeftOut
from callwright.records import SPLITS, Problem, Split

DUPLICATE = "duplicate question"
CONTRADICTION = "duplicate question with another answer"

_PRECEDENCE: tuple[Split, ...] = ("test", "dev", "train")  # who keeps a question that occurs in several splits


def split_by_group(problems: Sequence[Problem], shares: Mapping[Split, float], seed: int) -> list[Problem]:
    """The problems, in the same order, each with the split of its group.

    A group that has problems of several tasks stays whole too. Groups of the same task (or the same set of tasks) are
    shared out among the splits by themselves, so that every task has its share of every split, up to the size of its
    largest groups. The order of `problems` does not matter.

    Args:
        shares: weights, such as {"train": 0.8, "dev": 0.1, "test": 0.1}; a split that is missing gets nothing.

    Raises:
        ValueError: a share is negative, or none is positive.
    """
    weights = {split: shares[split] for split in SPLITS if shares.get(split, 0) > 0}
    if not weights or min(shares.values()) < 0:
        raise ValueError(f"shares must not be negative and one must be positive, not {dict(shares)}")
    sizes: dict[str, int] = defaultdict(int)
    tasks: dict[str, set[str]] = defaultdict(set)
    for problem in problems:
        sizes[problem.group] += 1
        tasks[problem.group].add(problem.task)
    strata: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for group, kinds in tasks.items():
        strata[tuple(sorted(kinds))].append(group)
    chosen: dict[str, Split] = {}
    for groups in strata.values():
        groups.sort(key=lambda group: sha256(f"{seed}/{group}".encode()).digest())
        chosen |= _share_out({group: sizes[group] for group in groups}, weights)
    return [replace(problem, split=chosen[problem.group]) for problem in problems]


def _share_out(sizes: Mapping[str, int], weights: Mapping[Split, float]) -> dict[str, Split]:
    """Each group, in order, to the split that still lacks most; no split exceeds its share by a whole group."""
    whole, total = sum(sizes.values()), sum(weights.values())
    lacking = {split: whole * weight / total for split, weight in weights.items()}
    chosen: dict[str, Split] = {}
    for group, size in sizes.items():
        split = max(lacking, key=lambda split: lacking[split])
        lacking[split] -= size
        chosen[group] = split
    return chosen


def deduplicate(problems: Sequence[Problem]) -> tuple[list[Problem], list[LeftOut]]:
    """Each question of a task once, in order, and the problems left out, each with the id of the one that stays.

    Questions are compared by `normalise`. Where a question occurs in several splits, test keeps it before dev and dev
    before train, so that it is never learned from; within a split the first one stays.
    """
    keyed = [(_key(problem), problem) for problem in problems]
    first: dict[tuple[str, str], Problem] = {}
    for split in _PRECEDENCE:
        for key, problem in keyed:
            if problem.split == split:
                first.setdefault(key, problem)
    kept, left_out = [], []
    for key, problem in keyed:
        keeper = first[key]
        if keeper is problem:
            kept.append(problem)
        else:
            reason = DUPLICATE if keeper.answer == problem.answer else CONTRADICTION
            left_out.append(LeftOut(problem.id, reason, keeper.id))
    return kept, left_out


def _key(problem: Problem) -> tuple[str, str]:
    return problem.task, normalise(problem.question)
