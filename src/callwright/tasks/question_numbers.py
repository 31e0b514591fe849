"""The numbers that a question holds, in digits and in words, and the same question's numbers changed."""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

REMEMBERED = 512  # questions: chains of one problem stand together
MAX_NUMBERS = 64  # of one question; the others are not changed
MAX_DIGITS = 40  # of a number; a longer one is not changed
MAX_RESULTS = 64  # of calls under one change that are remembered
CHANGES = 6  # ways in which a question's numbers are changed

_NUMBER = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,13}+(?![0-9])|[0-9]++)(?:\.[0-9]++)?+|\.[0-9]++")
_FRACTION = re.compile(r"(?<![0-9./])([0-9]{1,9}) ?/ ?([0-9]{1,9})(?![0-9./])")
_WORD = re.compile(r"[a-z]++")

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_UNITS = {word: number for number, word in enumerate(_SMALL)} | {
    word: 10 * place for place, word in enumerate(_TENS, start=2)
}
_POWERS = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_OTHER = {  # words that stand for a number or for its inverse
    "half": 2, "halves": 2, "halved": 2, "twice": 2, "double": 2, "doubled": 2, "doubles": 2, "pair": 2, "pairs": 2,
    "couple": 2, "both": 2, "third": 3, "thirds": 3, "thrice": 3, "triple": 3, "tripled": 3, "triples": 3,
    "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4, "quadruple": 4, "fifth": 5, "fifths": 5, "sixth": 6,
    "sixths": 6, "seventh": 7, "eighth": 8, "eighths": 8, "ninth": 9, "tenth": 10, "tenths": 10, "dozen": 12,
    "dozens": 12, "score": 20, "fortnight": 14,
}  # fmt: skip


Ratio: TypeAlias = tuple[int, int]
"""A number as numerator and denominator: a key that is cheaper than a Fraction."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """A question's numbers.

    Attributes:
        plain: the numbers as they stand there, ascending; 0 and 1 only where there is no other, since they do not
            tell a quantity from a manner of speaking.
        derived: what people make of one or two of them without calculating: a percentage as a part (15 % is 0.15, or
            0.85 less, or 1.15 more), an inverse, cents of dollars; value -> (form, the numbers).
    """

    plain: tuple[Fraction, ...]
    derived: Mapping[Fraction, tuple[str, tuple[Fraction, ...]]]


USUAL = frozenset((number, 1) for number in (*range(13), 24, 30, 31, 52, 60, 100, 365, 1000))
"""Numbers that everybody knows without being told: hours, days, weeks, percent."""


@lru_cache(maxsize=REMEMBERED)
def numbers_of(question: str) -> Numbers:
    """The numbers of a question.

    >>> [str(number) for number in numbers_of("Twenty-five boxes at $1.50, half of them full, 3/4 of 1,200.").plain]
    ['3/2', '2', '3', '4', '5', '20', '25', '1200']
    """
    found = set(_in_digits(question)) | set(_in_words(question.lower()))
    plain = sorted(number for number in found if number > 1 or 0 < number < 1)[:MAX_NUMBERS]
    plain = plain or sorted(found)
    derived: dict[Fraction, tuple[str, tuple[Fraction, ...]]] = {}
    for top, bottom in _FRACTION.findall(question):
        if int(bottom) and Fraction(int(top)) in plain and Fraction(int(bottom)) in plain:
            derived.setdefault(Fraction(int(top), int(bottom)), ("ratio", (Fraction(int(top)), Fraction(int(bottom)))))
    for form in _FORMS:
        for number in plain:
            if (value := _derive(form, (number,))) is not None:
                derived.setdefault(value, (form, (number,)))
    for number in plain:
        derived.pop(number, None)
    return Numbers(tuple(plain), derived)


_FORMS = ("percent", "less", "more", "inverse", "negative", "rest", "cents", "full")


def _derive(form: str, numbers: tuple[Fraction, ...]) -> Fraction | None:
    number = numbers[0]
    match form:
        case "percent":
            return number / 100
        case "less":
            return 1 - number / 100 if number < 100 else None
        case "more":
            return 1 + number / 100
        case "inverse":
            return 1 / number if number else None
        case "negative":
            return -number
        case "rest":
            return 100 - number if number < 100 else None
        case "cents":
            return number * 100
        case "full":
            return 100 + number
    return number / numbers[1] if numbers[1] else None


@dataclass(frozen=True, slots=True)
class Change:
    """Other numbers in place of a question's own.

    Attributes:
        alike: every number is multiplied by the same factor, or grows by the same amount.
        results: what calls returned under this change, for chains that make the same ones; at most MAX_RESULTS.
    """

    plain: Mapping[Ratio, Ratio]
    derived: Mapping[Ratio, tuple[str, tuple[Fraction, ...]]]
    alike: bool
    results: dict[Any, Any] = field(default_factory=dict)

    def of(self, number: Ratio) -> Ratio | None:
        """What stands for a number of the question now; None for a number that is not the question's."""
        if (new := self.plain.get(number)) is not None:
            return new
        if (made := self.derived.get(number)) is None:
            return None
        form, numbers = made
        value = _derive(form, tuple(Fraction(*self.plain[one.as_integer_ratio()]) for one in numbers))
        return None if value is None else value.as_integer_ratio()


@lru_cache(maxsize=REMEMBERED)
def changes_of(question: str) -> tuple[Change, ...]:
    """A question's numbers changed in CHANGES ways, the same ways every time; none if it has no numbers.

    Factors keep whole numbers whole and keep what is divided divisible more often than sums do; sums reach what
    depends on differences alone; one factor for all keeps what is a square, and what is larger.
    """
    numbers = numbers_of(question)
    plain = numbers.plain
    if not plain:
        return ()
    rng = random.Random(question)
    some = range(2, 2 * len(plain) + 6)
    factors, addends, more = (rng.sample(some, len(plain)) for _ in range(3))
    large = rng.sample(range(11, 13 + 2 * len(plain)), len(plain))
    ways = (
        ([number * factor for number, factor in zip(plain, factors, strict=True)], False),
        ([number + addend for number, addend in zip(plain, addends, strict=True)], False),
        ([number * 4 for number in plain], True),
        ([number + 1 for number in plain], True),
        ([number * factor + 1 for number, factor in zip(plain, more, strict=True)], False),
        ([number * factor for number, factor in zip(plain, large, strict=True)], False),
    )
    old = [number.as_integer_ratio() for number in plain]
    derived = {number.as_integer_ratio(): made for number, made in numbers.derived.items()}
    return tuple(
        Change(dict(zip(old, (number.as_integer_ratio() for number in new), strict=True)), derived, alike)
        for new, alike in ways
    )


def _in_digits(question: str) -> Iterator[Fraction]:
    for written in _NUMBER.findall(question):
        if len(written) <= MAX_DIGITS:
            yield Fraction(written.replace(",", ""))


def _in_words(question: str) -> Iterator[Fraction]:
    """Numbers in words, each word by itself and what neighbours make together: twenty-five is 20, 5 and 25."""
    total, current, running = 0, 0, False
    for word in _WORD.findall(question):
        if word in _UNITS:
            yield Fraction(_UNITS[word])
            current, running = current + _UNITS[word], True
        elif word in _POWERS:
            yield Fraction(_POWERS[word])
            current = max(current, 1) * _POWERS[word]
            if _POWERS[word] > 100:
                total, current = total + current, 0
            running = True
        elif word == "and" and running:
            continue
        else:
            if running:
                yield Fraction(total + current)
            total, current, running = 0, 0, False
            if word in _OTHER:
                yield Fraction(_OTHER[word])
    if running:
        yield Fraction(total + current)
