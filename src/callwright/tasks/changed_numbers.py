"""Other numbers in place of a question's own, the same ones every time."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from callwright.tasks.number_forms import Ratio, derive, reduced
from callwright.tasks.question_numbers import Numbers, numbers_of

REMEMBERED = 512  # questions: chains of one problem stand together
MAX_RESULTS = 64  # of calls under one change that are remembered
TWIN = 101  # times what stands at the first place: rarely what other calls come to


@dataclass(frozen=True)
class Change:
    """Other numbers in place of a question's own: each times a factor and plus an addend.

    Attributes:
        factors, addends: of the question's plain numbers, in their order.
        alike: every number is multiplied by the same factor, or grows by the same amount.
        results: what calls returned under this change, for chains that make the same ones; at most MAX_RESULTS.
    """

    numbers: Numbers
    factors: Sequence[int]
    addends: Sequence[int]
    alike: bool
    results: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def plain(self) -> Mapping[Ratio, Ratio]:
        """What stands in the place of each number."""
        changed = {}
        for (top, bottom), factor, addend in zip(self.numbers.ratios, self.factors, self.addends, strict=True):
            changed[top, bottom] = reduced(top * factor + bottom * addend, bottom) or (top, bottom)
        return changed

    @cached_property
    def twins(self) -> Mapping[Ratio, Ratio]:
        """For a number that stands in the question more than once what stands at one of the other places."""
        again = ((number, self.plain[number]) for number in self.numbers.repeated)
        return {number: reduced(top * TWIN, bottom) or number for number, (top, bottom) in again}

    def of(self, number: Ratio) -> Ratio | None:
        """What stands for a number of the question now; None for a number that is not the question's."""
        if (new := self.plain.get(number)) is not None:
            return new
        if (made := self.numbers.derived.get(number)) is None:
            return None
        form, parts = made
        return derive(form, tuple(self.plain.get(part, part) for part in parts))


@lru_cache(maxsize=REMEMBERED)
def changes_of(question: str) -> tuple[Change, ...]:
    """A question's numbers changed in six ways; none if it has no numbers.

    Factors keep whole numbers whole and keep what is divided divisible more often than sums do; sums reach what
    depends on differences alone; one factor for all keeps what is a square, and what is larger.
    """
    numbers = numbers_of(question)
    count = len(numbers.plain)
    if not count:
        return ()
    rng = random.Random(question)
    some = range(2, 2 * count + 6)
    factors, addends, more = (rng.sample(some, count) for _ in range(3))
    large = rng.sample(range(11, 13 + 2 * count), count)
    nothing, ones = [0] * count, [1] * count
    return (
        Change(numbers, factors, nothing, alike=False),
        Change(numbers, ones, addends, alike=False),
        Change(numbers, [4] * count, nothing, alike=True),
        Change(numbers, ones, ones, alike=True),
        Change(numbers, more, ones, alike=False),
        Change(numbers, large, nothing, alike=False),
    )
