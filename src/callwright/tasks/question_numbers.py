"""The numbers that a question holds, in digits and in words."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from callwright.functions.numbers import read_number
from callwright.tasks.number_forms import FORMS, Derived, Ratio, derive

REMEMBERED = 512  # questions: chains of one problem stand together
MAX_NUMBERS = 64  # of one question; the others are not changed
MAX_DIGITS = 40  # of a number; a longer one is not changed

_NUMBER = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,13}+(?![0-9])|[0-9]++)(?:\.[0-9]++)?+|\.[0-9]++")
_SPACED = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3}){1,13}+(?![0-9,])")  # 5 650 000
_FRACTION = re.compile(r"(?<![0-9./])(?:([0-9]{1,9})(?:[ -]| and ))?+([0-9]{1,9}) ?/ ?([0-9]{1,9})(?![0-9./])")
_VULGAR = re.compile("[\u00bc-\u00be\u2150-\u215e]")  # one sign for a fraction, such as 3/4
_SCALED = re.compile(r"([0-9][0-9.,]{0,20}+) ?(hundred|thousand|million|billion)\b")
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


_PARTS = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4,
    "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "seventh": 7, "sevenths": 7, "eighth": 8, "eighths": 8,
    "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10,
}  # fmt: skip
_IN_SMALLER = {  # what people convert without calculating
    "week": 7, "weeks": 7, "dozen": 12, "hour": 60, "hours": 60, "minute": 60, "minutes": 60, "year": 12, "years": 12,
    "feet": 12, "foot": 12,
}  # fmt: skip
_UNIT = re.compile(rf"\b([a-z]{{1,9}}|[0-9]{{1,9}})[ -]({'|'.join(_IN_SMALLER)})\b")
_PARTS_IN_WORDS = re.compile(rf"\b(?:([a-z]{{1,9}}|[0-9]{{1,9}})[ -])?+({'|'.join(_PARTS)})\b")
_AND_A_HALF = re.compile(r"\b([a-z]{1,9}|[0-9]{1,9})(?: [a-z]{1,12})? and (?:a|one)[ -](half|third|quarter|fourth)\b")


@dataclass(frozen=True, slots=True)
class Numbers:
    """A question's numbers.

    Attributes:
        plain, ratios: the numbers as they stand there, ascending; 0 and 1 only where there is no other, since they
            do not tell a quantity from a manner of speaking.
        derived: what people make of one or two of them without calculating: a percentage as a part (15 % is 0.15, or
            0.85 less, or 1.15 more), a fraction, what is left of it, a mixed number, an inverse, cents of dollars;
            value -> (form, the numbers).
        repeated: of the numbers as they stand there, those that stand there more than once; each time it may be
            another quantity that happens to be as large.
    """

    plain: tuple[Fraction, ...]
    ratios: tuple[Ratio, ...]
    derived: Mapping[Ratio, Derived]
    repeated: frozenset[Ratio]


USUAL = frozenset((number, 1) for number in (*range(13), 24, 30, 31, 52, 60, 100, 365, 1000))
"""Numbers that everybody knows without being told: hours, days, weeks, percent."""


@lru_cache(maxsize=REMEMBERED)
def numbers_of(question: str) -> Numbers:
    """The numbers of a question.

    >>> [str(number) for number in numbers_of("Twenty-five boxes at $1.50, half of them full, 3/4 of 1,200.").plain]
    ['3/2', '2', '3', '4', '5', '20', '25', '1200']
    """
    text = _VULGAR.sub(lambda sign: f" {Fraction(unicodedata.numeric(sign[0])).limit_denominator(10)} ", question)
    words = text.lower()
    found = Counter((*_in_digits(text), *_in_words(words)))
    plain = sorted(number for number in found if number > 1 or 0 < number < 1)[:MAX_NUMBERS]
    plain = plain or sorted(found)
    ratios = tuple(number.as_integer_ratio() for number in plain)
    derived: dict[Ratio, Derived] = {}
    for form, parts in (*_fractions(text), *_fractions_in_words(words), *_scaled(words), *_in_smaller(words)):
        if (value := derive(form, parts)) is not None:
            derived.setdefault(value, (form, parts))
    for form in FORMS:
        for number, ratio in zip(plain, ratios, strict=True):
            if _is_likely(form, number) and (value := derive(form, (ratio,))) is not None:
                derived.setdefault(value, (form, (ratio,)))
    for ratio in ratios:
        derived.pop(ratio, None)
    repeated = frozenset(ratio for number, ratio in zip(plain, ratios, strict=True) if found[number] > 1)
    return Numbers(tuple(plain), ratios, derived, repeated)


def _is_likely(form: str, number: Fraction) -> bool:
    """Of more than 100 % nothing is left. Only of the question as it stands: what is changed may exceed it."""
    return form not in ("less", "rest") or number < 100


def _in_digits(question: str) -> Iterator[Fraction]:
    for written in _NUMBER.findall(question):
        if len(written) <= MAX_DIGITS:
            yield Fraction(written.replace(",", ""))
    for written in _SPACED.findall(question):
        if len(written) <= MAX_DIGITS:
            yield Fraction("".join(one for one in written if one.isdecimal()))


def _fractions(question: str) -> Iterator[Derived]:
    found = _FRACTION.findall(question)
    for whole, top, bottom in found:
        if whole:
            yield "mixed", ((int(top), 1), (int(bottom), 1), (int(whole), 1))
    for _, top, bottom in found:
        yield from _part_of(int(top), int(bottom))


def _fractions_in_words(words: str) -> Iterator[Derived]:
    """Two-thirds, a quarter; two and a half, two hours and a half, a year and a half."""
    for whole, bottom in _AND_A_HALF.findall(words):
        yield "mixed", ((1, 1), (_PARTS[bottom], 1), (_small(whole), 1))
    for top, bottom in _PARTS_IN_WORDS.findall(words):
        yield from _part_of(_small(top), _PARTS[bottom])


def _small(word: str) -> int:
    return int(word) if word.isdecimal() else _UNITS.get(word, 1)


def _part_of(top: int, bottom: int) -> Iterator[Derived]:
    parts = (top, 1), (bottom, 1)
    yield "ratio", parts
    if top < bottom:
        yield "left", parts
        yield "and more", parts


def _in_smaller(words: str) -> Iterator[Derived]:
    """Two weeks in days, three hours in minutes."""
    for count, unit in _UNIT.findall(words):
        if count in _UNITS or count.isdecimal():
            yield "product", ((_small(count), 1), (_IN_SMALLER[unit], 1))


def _scaled(words: str) -> Iterator[Derived]:
    for written, power in _SCALED.findall(words):
        try:
            number = read_number(written.rstrip(".,"))
        except ValueError:
            continue  # such as 1.2.3 million
        yield "product", (number.as_integer_ratio(), (_POWERS[power], 1))


def _in_words(question: str) -> Iterator[Fraction]:
    """Numbers in words, each word by itself and what neighbours make together: twenty-five is 20, 5 and 25."""
    total, current, length = 0, 0, 0
    for word in _WORD.findall(question):
        if word in _UNITS:
            yield Fraction(_UNITS[word])
            current, length = current + _UNITS[word], length + 1
        elif word in _POWERS:
            yield Fraction(_POWERS[word])
            current = max(current, 1) * _POWERS[word]
            if _POWERS[word] > 100:
                total, current = total + current, 0
            length += 1
        elif word == "and" and length:
            continue
        else:
            if length > 1:
                yield Fraction(total + current)
            total, current, length = 0, 0, 0
            if word in _OTHER:
                yield Fraction(_OTHER[word])
    if length > 1:
        yield Fraction(total + current)
