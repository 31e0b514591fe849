"""Numbers in a question's text, in digits and in words."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from callwright.functions.numbers import read_number
from callwright.tasks.arithmetic.number_forms import FORMS, Derivation, Ratio, derive

CACHE_SIZE = 512  # cached questions; consecutive chains belong to the same problem
MAX_NUMBERS = 64  # numbers of one question that are changed: the smallest ones
MAX_DIGITS = 40  # digits of a number; a longer number is not changed

COMMON_NUMBERS = frozenset((number, 1) for number in (*range(13), 24, 30, 31, 52, 60, 100, 365, 1000))
"""Numbers that everybody knows: small ones, and those of hours, days, weeks and percent."""

_WORDS_BELOW_TWENTY = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS_WORDS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORD_VALUES = {word: number for number, word in enumerate(_WORDS_BELOW_TWENTY)} | {
    word: 10 * tens for tens, word in enumerate(_TENS_WORDS, start=2)
}
_POWERS = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_OTHER_NUMBER_WORDS = {  # words that stand for a number or for its inverse
    "half": 2, "halves": 2, "halved": 2, "twice": 2, "double": 2, "doubled": 2, "doubles": 2, "pair": 2, "pairs": 2,
    "couple": 2, "both": 2, "third": 3, "thirds": 3, "thrice": 3, "triple": 3, "tripled": 3, "triples": 3,
    "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4, "quadruple": 4, "fifth": 5, "fifths": 5, "sixth": 6,
    "sixths": 6, "seventh": 7, "eighth": 8, "eighths": 8, "ninth": 9, "tenth": 10, "tenths": 10, "dozen": 12,
    "dozens": 12, "score": 20, "fortnight": 14,
}  # fmt: skip
_FRACTION_WORDS = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4,
    "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "seventh": 7, "sevenths": 7, "eighth": 8, "eighths": 8,
    "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10,
}  # fmt: skip
_UNIT_CONVERSIONS = {  # what people convert without calculating
    "week": 7, "weeks": 7, "dozen": 12, "hour": 60, "hours": 60, "minute": 60, "minutes": 60, "year": 12, "years": 12,
    "feet": 12, "foot": 12,
}  # fmt: skip

_NUMBER = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,13}+(?![0-9])|[0-9]++)(?:\.[0-9]++)?+|\.[0-9]++")
_NUMBER_WITH_SPACES = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3}){1,13}+(?![0-9,])")  # 5 650 000
_FRACTION = re.compile(r"(?<![0-9./])(?:([0-9]{1,9})(?:[ -]| and ))?+([0-9]{1,9}) ?/ ?([0-9]{1,9})(?![0-9./])")
_FRACTION_CHARACTER = re.compile("[\u00bc-\u00be\u2150-\u215e]")  # one character for a fraction, such as 3/4
_NUMBER_WITH_POWER = re.compile(r"([0-9][0-9.,]{0,20}+) ?(hundred|thousand|million|billion)\b")
_WORD = re.compile(r"[a-z]++")
_COUNT_AND_UNIT = re.compile(rf"\b([a-z]{{1,9}}|[0-9]{{1,9}})[ -]({'|'.join(_UNIT_CONVERSIONS)})\b")
_FRACTION_IN_WORDS = re.compile(rf"\b(?:([a-z]{{1,9}}|[0-9]{{1,9}})[ -])?+({'|'.join(_FRACTION_WORDS)})\b")
_AND_A_HALF = re.compile(r"\b([a-z]{1,9}|[0-9]{1,9})(?: [a-z]{1,12})? and (?:a|one)[ -](half|third|quarter|fourth)\b")


@dataclass(frozen=True, slots=True)
class Numbers:
    """A question's numbers.

    Attributes:
        plain, ratios: the numbers in the question, ascending. 0 and 1 are included only if there is no other number,
            as they are often not a quantity ("one of them").
        derived: value -> (form, numbers): what people derive from one to three of the numbers without a calculation
            (see `callwright.tasks.arithmetic.number_forms`).
        repeated: the plain numbers that occur more than once. Each occurrence may be another quantity.
    """

    plain: tuple[Fraction, ...]
    ratios: tuple[Ratio, ...]
    derived: Mapping[Ratio, Derivation]
    repeated: frozenset[Ratio]


@lru_cache(maxsize=CACHE_SIZE)
def find_numbers(question: str) -> Numbers:
    """The numbers of a question.

    >>> [str(number) for number in find_numbers("Twenty-five boxes at $1.50, half of them full, 3/4 of 1,200.").plain]
    ['3/2', '2', '3', '4', '5', '20', '25', '1200']
    """
    text = _FRACTION_CHARACTER.sub(
        lambda match: f" {Fraction(unicodedata.numeric(match[0])).limit_denominator(10)} ", question
    )
    words = text.lower()
    occurrences = Counter((*_numbers_in_digits(text), *_numbers_in_words(words)))
    plain = sorted(number for number in occurrences if number > 1 or 0 < number < 1)[:MAX_NUMBERS]
    plain = plain or sorted(occurrences)
    ratios = tuple(number.as_integer_ratio() for number in plain)
    derived: dict[Ratio, Derivation] = {}
    for form, numbers in (
        *_fractions(text),
        *_fractions_in_words(words),
        *_numbers_with_powers(words),
        *_conversions(words),
    ):
        if (value := derive(form, numbers)) is not None:
            derived.setdefault(value, (form, numbers))
    for form in FORMS:
        for number, ratio in zip(plain, ratios, strict=True):
            if _is_likely(form, number) and (value := derive(form, (ratio,))) is not None:
                derived.setdefault(value, (form, (ratio,)))
    for ratio in ratios:
        derived.pop(ratio, None)
    repeated = frozenset(ratio for number, ratio in zip(plain, ratios, strict=True) if occurrences[number] > 1)
    return Numbers(tuple(plain), ratios, derived, repeated)


def _is_likely(form: str, number: Fraction) -> bool:
    """Whether the form makes sense for a number of the question: more than 100 % leaves nothing."""
    return form not in ("less", "rest") or number < 100


def _numbers_in_digits(question: str) -> Iterator[Fraction]:
    for text in _NUMBER.findall(question):
        if len(text) <= MAX_DIGITS:
            yield Fraction(text.replace(",", ""))
    for text in _NUMBER_WITH_SPACES.findall(question):
        if len(text) <= MAX_DIGITS:
            yield Fraction("".join(character for character in text if character.isdecimal()))


def _fractions(question: str) -> Iterator[Derivation]:
    matches = _FRACTION.findall(question)
    for integer, numerator, denominator in matches:
        if integer:
            yield "mixed", ((int(numerator), 1), (int(denominator), 1), (int(integer), 1))
    for _, numerator, denominator in matches:
        yield from _fraction_forms(int(numerator), int(denominator))


def _fractions_in_words(words: str) -> Iterator[Derivation]:
    """Such as two-thirds, a quarter; two and a half, two hours and a half, a year and a half."""
    for integer, denominator in _AND_A_HALF.findall(words):
        yield "mixed", ((1, 1), (_FRACTION_WORDS[denominator], 1), (_small_number(integer), 1))
    for numerator, denominator in _FRACTION_IN_WORDS.findall(words):
        yield from _fraction_forms(_small_number(numerator), _FRACTION_WORDS[denominator])


def _small_number(word: str) -> int:
    return int(word) if word.isdecimal() else _WORD_VALUES.get(word, 1)


def _fraction_forms(numerator: int, denominator: int) -> Iterator[Derivation]:
    numbers = (numerator, 1), (denominator, 1)
    yield "ratio", numbers
    if numerator < denominator:
        yield "left", numbers
        yield "and more", numbers


def _conversions(words: str) -> Iterator[Derivation]:
    """Such as two weeks in days, three hours in minutes."""
    for count, unit in _COUNT_AND_UNIT.findall(words):
        if count in _WORD_VALUES or count.isdecimal():
            yield "product", ((_small_number(count), 1), (_UNIT_CONVERSIONS[unit], 1))


def _numbers_with_powers(words: str) -> Iterator[Derivation]:
    for text, power in _NUMBER_WITH_POWER.findall(words):
        try:
            number = read_number(text.rstrip(".,"))
        except ValueError:
            continue  # such as 1.2.3 million
        yield "product", (number.as_integer_ratio(), (_POWERS[power], 1))


def _numbers_in_words(question: str) -> Iterator[Fraction]:
    """The number of each word alone, and of neighbouring words together: twenty-five gives 20, 5 and 25."""
    total, current, length = 0, 0, 0
    for word in _WORD.findall(question):
        if word in _WORD_VALUES:
            yield Fraction(_WORD_VALUES[word])
            current, length = current + _WORD_VALUES[word], length + 1
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
            if word in _OTHER_NUMBER_WORDS:
                yield Fraction(_OTHER_NUMBER_WORDS[word])
    if length > 1:
        yield Fraction(total + current)
