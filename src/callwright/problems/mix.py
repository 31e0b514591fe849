"""Several sources in one run: unique ids and groups, each source's share of the train problems, and their order."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from callwright.errors import RowError
from callwright.records import SPLITS, Problem, Split

T = TypeVar("T")


@dataclass(slots=True)
class UsedNames:
    """The ids and groups of the sources that were read before."""

    ids: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)

    def add(self, problems: Sequence[Problem]) -> None:
        """Add those of a source's problems."""
        self.ids |= {problem.id for problem in problems}
        self.groups |= {problem.group for problem in problems}

    def check(self, problem: Problem, source: str) -> Problem:
        """The problem, with another group if an earlier source has a group of this name.

        Problems of two sources have nothing in common that would make them one group.

        Raises:
            RowError: an earlier source has a problem of this id.
        """
        if problem.id in self.ids:
            raise RowError("id is used twice", f"{problem.id} is also the id of a problem of another source")
        return replace(problem, group=f"{source}/{problem.group}") if problem.group in self.groups else problem


def train_counts(available: Mapping[str, int], shares: Mapping[str, float]) -> dict[str, int]:
    """The number of train problems to use of each source: as many as possible with these shares.

    The source with the fewest for its share gives all of them, so it determines the sum.

    Args:
        available: source -> its train problems. If one of them has none, no source gives any.
        shares: of the same sources; all are positive.

    >>> train_counts({"synthetic": 572, "gsm8k": 1200}, {"synthetic": 0.7, "gsm8k": 0.3})  # 572 / 0.7 is 817
    {'synthetic': 572, 'gsm8k': 245}
    """
    total = min(available[name] / share for name, share in shares.items())
    return {name: max(round(total * share), 1) if total else 0 for name, share in shares.items()}


def mix_splits(
    by_source: Mapping[str, Mapping[Split, Sequence[Problem]]], shares: Mapping[str, float], seed: int
) -> dict[Split, list[Problem]]:
    """The problems of all sources: of train as many as the shares allow, drawn at random, and all of dev and test.

    Each source is spread evenly over each split. With another share, the same problems of a source are used, and more
    of them or fewer.

    Args:
        by_source: source -> split -> problems.
        shares: of the train problems, by source; one source alone stays as it is.
    """
    counts = train_counts({name: len(splits["train"]) for name, splits in by_source.items()}, shares)
    used = {
        name: {**of_source, "train": _draw(of_source["train"], counts[name], seed)}
        for name, of_source in by_source.items()
    }
    return {split: _interleave([of_source[split] for of_source in used.values()]) for split in SPLITS}


def _draw(problems: Sequence[T], count: int, seed: int) -> list[T]:
    """`count` random items, in their order; a larger count draws the same items and more."""
    order = random.Random(f"mix/{seed}").sample(range(len(problems)), len(problems))
    return [problems[index] for index in sorted(order[:count])]


def _interleave(sequences: Sequence[Sequence[T]]) -> list[T]:
    """All items, each sequence in its order and spread evenly.

    >>> _interleave(["abcd", "XY"])
    ['a', 'X', 'b', 'c', 'Y', 'd']
    """
    middles = [
        ((index + 0.5) / len(sequence), number, item)
        for number, sequence in enumerate(sequences)
        for index, item in enumerate(sequence)
    ]
    return [item for *_, item in sorted(middles, key=lambda entry: entry[:2])]
