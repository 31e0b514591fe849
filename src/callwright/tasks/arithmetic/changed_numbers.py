"""Replace a question's numbers by others. The same question always gets the same replacements."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from callwright.tasks.arithmetic.number_forms import Ratio, derive, reduced
from callwright.tasks.arithmetic.question_numbers import Numbers, find_numbers

CACHE_SIZE = 512  # cached questions; chains of one problem follow each other
MAX_RESULTS = 64  # cached results of calls under one change
SECOND_REPLACEMENT_FACTOR = (
    101  # factor between a repeated number's first and second replacement; rarely the result of other calls
)


@dataclass(frozen=True)
class NumberChange:
    """A replacement of a question's numbers: each is multiplied by a factor, then an addend is added.

    Attributes:
        factors, addends: of the question's plain numbers, in their order.
        alike: every number is multiplied by the same factor, or grows by the same amount.
        results: what calls returned under this change, cached for chains that make the same calls; at most MAX_RESULTS.
    """

    numbers: Numbers
    factors: Sequence[int]
    addends: Sequence[int]
    same_for_all: bool
    results: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def plain(self) -> Mapping[Ratio, Ratio]:
        """The replacement of each number."""
        changed = {}
        for (top, bottom), factor, addend in zip(self.numbers.ratios, self.factors, self.addends, strict=True):
            changed[top, bottom] = reduced(top * factor + bottom * addend, bottom) or (top, bottom)
        return changed

    @cached_property
    def second_replacements(self) -> Mapping[Ratio, Ratio]:
        """A second replacement for each repeated number, as its occurrences may be different quantities."""
        repeated = ((number, self.plain[number]) for number in self.numbers.repeated)
        return {
            number: reduced(top * SECOND_REPLACEMENT_FACTOR, bottom) or number for number, (top, bottom) in repeated
        }

    def of(self, number: Ratio) -> Ratio | None:
        """The replacement of a number; None if the question neither holds the number nor implies it."""
        if (replacement := self.plain.get(number)) is not None:
            return replacement
        if (derived := self.numbers.derived.get(number)) is None:
            return None
        form, sources = derived
        return derive(form, tuple(self.plain.get(source, source) for source in sources))


@lru_cache(maxsize=CACHE_SIZE)
def number_changes(question: str) -> tuple[NumberChange, ...]:
    """A question's numbers changed in six ways; none if it has no numbers.

    Factors keep integers and keep quotients integers more often than addends do. Addends change answers that depend
    on differences alone. One factor for all numbers keeps squares and the order of sizes.
    """
    numbers = find_numbers(question)
    count = len(numbers.plain)
    if not count:
        return ()
    rng = random.Random(question)
    amounts = range(2, 2 * count + 6)
    factors, addends, other_factors = (rng.sample(amounts, count) for _ in range(3))
    large_factors = rng.sample(range(11, 13 + 2 * count), count)
    zeros, ones = [0] * count, [1] * count
    return (
        NumberChange(numbers, factors, zeros, same_for_all=False),
        NumberChange(numbers, ones, addends, same_for_all=False),
        NumberChange(numbers, [4] * count, zeros, same_for_all=True),
        NumberChange(numbers, ones, ones, same_for_all=True),
        NumberChange(numbers, other_factors, ones, same_for_all=False),
        NumberChange(numbers, large_factors, zeros, same_for_all=False),
    )
