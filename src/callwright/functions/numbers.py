"""Exact numbers: read as a person writes them, shown so that they can be read back."""

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from callwright.errors import CallError
from callwright.records import Json

MAX_CHARACTERS = 700  # of a number that is read: whatever a call may return (guard.MAX_BITS) can be answered
MAX_EXPONENT = 60
MAX_DECIMALS = 12  # of a number that is shown; longer expansions are shown as p/q

_WRITTEN = re.compile(
    r"""\s*(?P<sign>[-+−]?)\s*[$€£]?\s*
        (?P<whole>\d{1,3}(?:,\d{3})+|\d+)?(?P<decimals>\.\d*)?
        (?:\s*/\s*(?P<denominator>\d+))?\s*(?P<percent>%)?\s*""",
    re.VERBOSE,
)


def read_number(value: Any) -> Fraction:
    """The exact number that a person's or a model's notation means.

    Raises:
        ValueError: the value is not one number, or is too long.

    >>> read_number("1,200"), read_number("$18"), read_number("3.50"), read_number("1/2"), read_number(0.1)
    (Fraction(1200, 1), Fraction(18, 1), Fraction(7, 2), Fraction(1, 2), Fraction(1, 10))
    """
    if type(value) is int:  # bool is not a number here
        return Fraction(value)
    if isinstance(value, Fraction):
        return value
    if isinstance(value, float):
        value = repr(value)
        if "e" in value:
            return _read_scientific(value)
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a number")
    if len(value) > MAX_CHARACTERS:
        raise ValueError(f"a number of more than {MAX_CHARACTERS} characters")
    match = _WRITTEN.fullmatch(value)
    if match is None or (match["whole"] is None and match["decimals"] in (None, ".")):
        raise ValueError(f"{value!r} is not a number")
    number = Fraction((match["whole"] or "0").replace(",", "") + (match["decimals"] or "").rstrip("."))
    if match["denominator"] is not None:
        if int(match["denominator"]) == 0:
            raise ValueError(f"{value!r} divides by zero")
        number /= int(match["denominator"])
    if match["percent"]:
        number /= 100
    return -number if match["sign"] in ("-", "−") else number


def _read_scientific(value: str) -> Fraction:
    if abs(int(value.split("e")[1])) > MAX_EXPONENT:
        raise ValueError(f"{value} is out of range")
    return Fraction(value)


def format_number(number: Fraction) -> str:
    """An integer or a terminating decimal where it is one, else p/q.

    >>> format_number(Fraction(6, 3)), format_number(Fraction(-1, 8)), format_number(Fraction(1, 3))
    ('2', '-0.125', '1/3')
    """
    if number.denominator == 1:
        return str(number.numerator)
    rest, twos, fives = number.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > MAX_DECIMALS:
        return f"{number.numerator}/{number.denominator}"
    scaled = abs(number.numerator) * 10**places // number.denominator
    digits = str(scaled).rjust(places + 1, "0")
    return f"{'-' if number < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def as_argument(number: Fraction) -> Json:
    """An exact number as a call's argument: int, float where its shortest decimal is exact, else "p/q".

    >>> as_argument(Fraction(7)), as_argument(Fraction(7, 4)), as_argument(Fraction(1, 3))
    (7, 1.75, '1/3')
    """
    if number.denominator == 1:
        return number.numerator
    shown = format_number(number)
    return float(shown) if "/" not in shown and Fraction(repr(float(shown))) == number else shown


def _validate(value: Any) -> Fraction:
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a number")
    return read_number(value)


Number = Annotated[
    Fraction,
    BeforeValidator(_validate),
    PlainSerializer(format_number, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}], "description": 'a number; fractions as "p/q"'}),
]
"""An exact number in a function's signature."""

WholeNumber = Annotated[
    int,
    BeforeValidator(lambda value: _whole(_validate(value))),
    WithJsonSchema({"type": "integer"}),
]
"""An integer in a function's signature; `2.0` and `"2"` are accepted."""


def _whole(number: Fraction) -> int:
    if number.denominator != 1:
        raise ValueError(f"{format_number(number)} is not a whole number")
    return number.numerator


def refuse(message: str) -> CallError:
    """The error a function raises when it cannot do what was asked."""
    return CallError("execution_error", message)
