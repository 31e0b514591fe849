"""Numbers in texts: the forms in which they are written, and replacing them."""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import gcd
from typing import Protocol, TypeAlias

Ratio: TypeAlias = tuple[int, int]
"""A number as numerator and denominator without a common divisor. It is a cheaper dictionary key than a Fraction."""

Derivation: TypeAlias = tuple[str, tuple[Ratio, ...]]
"""A form, and the numbers that it is applied to."""

FORMS: Mapping[str, tuple[int, int, int, int]] = {
    "percent": (1, 0, 0, 100),
    "less": (-1, 100, 0, 100),
    "more": (1, 100, 0, 100),
    "inverse": (0, 1, 1, 0),
    "negative": (-1, 0, 0, 1),
    "rest": (-1, 100, 0, 1),
    "cents": (100, 0, 0, 1),
    "full": (1, 100, 0, 1),
}
"""The forms of one number n, as a, b, c, d of (a n + b) / (c n + d).

| form | value | example |
|---|---|---|
| percent | n / 100 | 15 % as a part: 0.15 |
| less | (100 - n) / 100 | 15 % off: 0.85 |
| more | (100 + n) / 100 | 15 % more: 1.15 |
| inverse | 1 / n | a third of it: 1/3 |
| negative | -n | |
| rest | 100 - n | 15 % leaves 85 % |
| cents | 100 n | dollars in cents |
| full | 100 + n | 115 % |

`derive` has the forms of more numbers: ratio (p / q), left (1 - p / q), and more (1 + p / q), product (p q) and mixed
(the integer r and p / q: r + p / q).
"""


def derive(form: str, numbers: tuple[Ratio, ...]) -> Ratio | None:
    """The value of a form applied to numbers; None if that divides by zero.

    >>> derive("less", ((15, 1),)), derive("ratio", ((2, 1), (3, 1))), derive("mixed", ((1, 1), (2, 1), (3, 1)))
    ((17, 20), (2, 3), (7, 2))
    """
    first_numerator, first_denominator = numbers[0]
    if form in FORMS:
        a, b, c, d = FORMS[form]
        return reduced(a * first_numerator + b * first_denominator, c * first_numerator + d * first_denominator)
    second_numerator, second_denominator = numbers[1]
    if form == "product":
        return reduced(first_numerator * second_numerator, first_denominator * second_denominator)
    numerator, denominator = first_numerator * second_denominator, first_denominator * second_numerator
    match form:
        case "left":
            numerator = denominator - numerator
        case "and more":
            numerator = denominator + numerator
        case "mixed":
            third_numerator, third_denominator = numbers[2]
            numerator = third_numerator * denominator + third_denominator * numerator
            denominator = third_denominator * denominator
    return reduced(numerator, denominator)


def reduced(numerator: int, denominator: int) -> Ratio | None:
    """A quotient as numerator and positive denominator without a common divisor; None if the denominator is 0."""
    if not denominator:
        return None
    divisor = gcd(numerator, denominator) if denominator > 0 else -gcd(numerator, denominator)
    return numerator // divisor, denominator // divisor


_DIGITS = r"[0-9]{1,400}+(?:\.[0-9]{1,400}+)?+(?![0-9.])"
_NUMBER = re.compile(rf"(?<![0-9.A-Za-z_])({_DIGITS})(?: ?/ ?({_DIGITS}))?+")
_SIGN = re.compile(r"(?<=[(=])[-−] ?$")  # the sign of the number that follows; a subtraction does not match
_EXPONENT = re.compile(r"(?:\^|\*\*) ?\(?[-+]?$")


class Replacements(Protocol):
    """The values of numbers after the change."""

    def replace(self, number: Ratio) -> Ratio:
        """The number after the change."""

    def is_result(self, number: Ratio) -> bool:
        """Whether an earlier call returned the number."""

    def is_known(self, number: Ratio) -> bool:
        """Whether the number is an earlier result or is in the question."""


def replace_numbers(text: str, replacements: Replacements) -> str:
    """The text with each number replaced. Exponents stay as they are."""
    return "".join(_pieces(text, replacements))


def _pieces(text: str, replacements: Replacements) -> Iterator[str]:
    """The text in pieces: what is between the numbers, and the replacement of each number."""
    end = 0
    for match in _NUMBER.finditer(text):
        start = match.start()
        sign = _SIGN.search(text, max(end, start - 3), start)
        negative = _replace_negative(match[1], replacements) if sign is not None and match[2] is None else None
        yield text[end : start - (len(sign[0]) if sign and negative else 0)]
        end = match.end()
        if negative:
            yield negative
        elif _EXPONENT.search(text, max(0, start - 5), start):
            yield match[0]
        else:
            yield _replace_quotient(match[1], match[2], replacements)
    yield text[end:]


def _replace_negative(digits: str, replacements: Replacements) -> str | None:
    """The replacement, in brackets, of a number with a minus sign.

    None unless the negative number is an earlier result and the number without the sign is not known.
    """
    number = Fraction(digits)
    negative = (-number).as_integer_ratio()
    if replacements.is_known(number.as_integer_ratio()) or not replacements.is_result(negative):
        return None
    return f"({Fraction(*replacements.replace(negative))})"


def _replace_quotient(numerator: str, denominator: str | None, replacements: Replacements) -> str:
    """The replacement of a number, or of a quotient of two numbers.

    The quotient counts as one number if it is known as one and its two numbers are not both known.
    """
    texts = [text for text in (numerator, denominator) if text is not None]
    numbers = [Fraction(text).as_integer_ratio() for text in texts]
    if len(numbers) == 2 and numbers[1][0] and not all(map(replacements.is_known, numbers)):
        quotient = (Fraction(*numbers[0]) / Fraction(*numbers[1])).as_integer_ratio()
        if replacements.is_known(quotient):
            return _format_for_equation(replacements.replace(quotient))
    changed = [(text, number, replacements.replace(number)) for text, number in zip(texts, numbers, strict=True)]
    return "/".join(text if new == number else _format_for_equation(new) for text, number, new in changed)


def _format_for_equation(number: Ratio) -> str:
    """The number's text, in brackets where a factor or a summand needs them."""
    denominator = f"/{number[1]}" if number[1] != 1 else ""
    return f"({number[0]}{denominator})" if denominator or number[0] < 0 else str(number[0])
