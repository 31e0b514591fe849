"""Exact numbers: read from the notations that people use, and written so that they can be read again."""

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from callwright.errors import CallError
from callwright.functions.guard import MAX_BITS, count_bits
from callwright.records import Json

MAX_DIGITS = int(MAX_BITS * math.log10(2))  # an integer with this many digits always fits into MAX_BITS
MAX_NUMBER_CHARACTERS = 700  # of a number's text; a number within MAX_BITS needs fewer
MAX_EXPONENT = 60  # of a float; larger exponents are mistakes
MAX_DECIMALS = 12  # of a formatted number; numbers with more decimals are formatted as p/q
_MAX_QUOTED_CHARACTERS = 60  # of an unreadable number in an error message
ZERO_TO_ZERO = "0 to the power of 0 is not defined"
TYPE_IN_WORDS = "x-type-in-words"
"""JSON schema key with which an annotation sets the name of its type in prompts. Models never see the key."""

_SIGNS = "-+−–"  # hyphen, plus, minus sign, and the dash that some people write instead
_NEGATIVE = "-−–"
# Possessive quantifiers (`++`, `?+`) never backtrack, so matching takes linear time for every text.
_NUMBER_PATTERN = re.compile(
    rf"""\s*+(?P<sign>[{_SIGNS}]?+)\s*+[$€£]?+\s*+
        (?P<whole>[0-9]{{1,3}}+(?:,[0-9]{{3}})++|[0-9]++)?+(?P<decimals>\.[0-9]*+)?+\s*+
        (?:/\s*+(?P<denominator>[0-9]++)\s*+)?+(?P<percent>%)?+\s*+""",
    re.VERBOSE,
)


def read_number(value: Any) -> Fraction:
    """Read an exact number from a notation that people or models use. Only ASCII digits are accepted.

    A float is read as its shortest decimal. A Decimal and a text are read exactly.

    Raises:
        ValueError: the value is not a single number, or its numerator or denominator has more than MAX_BITS bits.

    >>> read_number("1,200"), read_number("$18"), read_number("3.50"), read_number("1/2"), read_number(0.1)
    (Fraction(1200, 1), Fraction(18, 1), Fraction(7, 2), Fraction(1, 2), Fraction(1, 10))
    """
    number = Fraction(value) if type(value) is int else _parse(value)
    if count_bits(number) > MAX_BITS:
        raise ValueError(f"a number of more than {MAX_DIGITS} digits")
    return number


def _parse(value: Any) -> Fraction:
    if isinstance(value, str):
        return _read_text(value)
    if isinstance(value, bool):
        raise ValueError(f"{value} is not a number")
    if isinstance(value, int | Fraction):
        return Fraction(value)
    if isinstance(value, Decimal):
        return _read_decimal(value)
    if not isinstance(value, float):
        raise ValueError(f"{'None' if value is None else f'a {type(value).__name__}'} is not a number")
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number")
    shortest = repr(float(value))
    if abs(int(shortest.partition("e")[2] or 0)) > MAX_EXPONENT:
        raise ValueError(f"{shortest} is out of range")
    return Fraction(shortest)


def _read_decimal(value: Decimal) -> Fraction:
    if not value.is_finite():
        raise ValueError(f"{value} is not a number")
    if not value:
        return Fraction(0)
    size = max(abs(value.adjusted()), len(value.as_tuple().digits))
    if size > MAX_NUMBER_CHARACTERS:  # checked before Fraction computes 10 ** exponent
        raise ValueError(f"a number of more than {MAX_DIGITS} digits")
    return Fraction(value)


def _read_text(text: str) -> Fraction:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise ValueError(f"a number of more than {MAX_NUMBER_CHARACTERS} characters")
    match = _NUMBER_PATTERN.fullmatch(text)
    if match is None or (match["whole"] is None and match["decimals"] in (None, ".")):
        raise ValueError(f"{_quote_start(text)} is not a number")
    number = Fraction((match["whole"] or "0").replace(",", "") + (match["decimals"] or "").rstrip("."))
    if match["denominator"] is not None:
        if int(match["denominator"]) == 0:
            raise ValueError(f"{_quote_start(text)} divides by zero")
        number /= int(match["denominator"])
    if match["percent"]:
        number /= 100
    return -number if match["sign"] and match["sign"] in _NEGATIVE else number


def _quote_start(text: str) -> str:
    return repr(text if len(text) <= _MAX_QUOTED_CHARACTERS else f"{text[:_MAX_QUOTED_CHARACTERS]}...")


def format_number(number: Fraction) -> str:
    """Format a number as an integer or a terminating decimal if possible, else as p/q.

    >>> format_number(Fraction(6, 3)), format_number(Fraction(-1, 8)), format_number(Fraction(1, 3))
    ('2', '-0.125', '1/3')
    """
    if number.denominator == 1:
        return str(number.numerator)
    scaled = number * 10**MAX_DECIMALS
    if scaled.denominator != 1:
        return f"{number.numerator}/{number.denominator}"
    digits = str(abs(scaled.numerator)).rjust(MAX_DECIMALS + 1, "0")
    return f"{'-' if number < 0 else ''}{digits[:-MAX_DECIMALS]}.{digits[-MAX_DECIMALS:].rstrip('0')}"


def as_argument(number: Fraction) -> Json:
    """Convert an exact number to a call's argument: int, a float if its shortest decimal is exact, else "p/q".

    >>> as_argument(Fraction(7)), as_argument(Fraction(7, 4)), as_argument(Fraction(1, 3))
    (7, 1.75, '1/3')
    """
    if number.denominator == 1:
        return number.numerator
    text = format_number(number)
    if "/" in text or not math.isfinite(as_float := float(text)) or Fraction(repr(as_float)) != number:
        return text
    return as_float


Number = Annotated[
    Fraction,
    BeforeValidator(read_number),
    PlainSerializer(format_number, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number"}, {"type": "string"}],
            "description": 'a number; fractions as "p/q"',
            TYPE_IN_WORDS: "number",
        }
    ),
]
"""An exact number in a function's signature."""

WholeNumber = Annotated[
    int,
    BeforeValidator(lambda value: _require_whole(read_number(value))),
    WithJsonSchema({"type": "integer"}),
]
"""An integer in a function's signature; `2.0` and `"2"` are accepted too."""


def _require_whole(number: Fraction) -> int:
    if number.denominator != 1:
        raise ValueError(f"{format_number(number)} is not a whole number")
    return number.numerator


def execution_error(message: str) -> CallError:
    """Make the error that a function raises when it cannot execute a call."""
    return CallError("execution_error", message)
