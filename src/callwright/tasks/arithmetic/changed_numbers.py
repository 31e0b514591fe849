"""Replace a question's numbers by other numbers. The same question always gets the same replacements."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from callwright.tasks.arithmetic.number_forms import Ratio, derive, reduced
from callwright.tasks.arithmetic.question_numbers import Numbers, find_numbers

CACHE_SIZE = 512  # cached questions; consecutive chains belong to the same problem
MAX_RESULTS = 64  # cached results of calls under one change
# Between a repeated number's first and second replacement. Other calls rarely give a result that differs by it.
SECOND_REPLACEMENT_FACTOR = 101


@dataclass(frozen=True)
class NumberChange:
    """A replacement of a question's numbers: each is multiplied by a factor, then an addend is added.

    Attributes:
        factors, addends: of the question's plain numbers, in their order.
        same_for_all: whether all numbers have the same factor and the same addend.
        results: a cache of what calls returned under this change, for chains that make the same calls; at most
            MAX_RESULTS. It belongs to one process, as the cache of `number_changes` does.
    """

    numbers: Numbers
    factors: Sequence[int]
    addends: Sequence[int]
    same_for_all: bool
    results: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def replacements(self) -> Mapping[Ratio, Ratio]:
        """The replacement of each plain number."""
        replacements = {}
        for ratio, factor, addend in zip(self.numbers.ratios, self.factors, self.addends, strict=True):
            numerator, denominator = ratio
            replacements[ratio] = reduced(numerator * factor + denominator * addend, denominator) or ratio
        return replacements

    @cached_property
    def second_replacements(self) -> Mapping[Ratio, Ratio]:
        """A second replacement for each repeated number, as its occurrences may be different quantities."""
        repeated = ((number, self.replacements[number]) for number in self.numbers.repeated)
        return {
            number: reduced(numerator * SECOND_REPLACEMENT_FACTOR, denominator) or number
            for number, (numerator, denominator) in repeated
        }

    def replacement_for(self, number: Ratio) -> Ratio | None:
        """The replacement of a number; None if the number is not in the question or derived from it."""
        if (replacement := self.replacements.get(number)) is not None:
            return replacement
        if (derived := self.numbers.derived.get(number)) is None:
            return None
        form, sources = derived
        return derive(form, tuple(self.replacements.get(source, source) for source in sources))


@lru_cache(maxsize=CACHE_SIZE)
def number_changes(question: str) -> tuple[NumberChange, ...]:
    """A question's numbers changed in six ways; none if it has no numbers.

    Factors keep integers and keep quotients integers more often than addends do. Addends change answers that only
    depend on differences. One factor for all numbers keeps squares and the order of sizes.
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
