"""Numbers that people derive from one to three others without a calculation, such as 0.85 from 15 % off."""

from collections.abc import Mapping
from math import gcd
from typing import TypeAlias

Ratio: TypeAlias = tuple[int, int]
"""A number as numerator and denominator without a common divisor. A cheaper dictionary key than a Fraction."""

Derivation: TypeAlias = tuple[str, tuple[Ratio, ...]]
"""A form, and the numbers that it is made of."""

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
"""The forms of one number n, as a, b, c, d of (a n + b) / (c n + d)."""


def derive(form: str, numbers: tuple[Ratio, ...]) -> Ratio | None:
    """The value of a form; None where it would be divided by zero.

    >>> derive("less", ((15, 1),)), derive("ratio", ((2, 1), (3, 1))), derive("mixed", ((1, 1), (2, 1), (3, 1)))
    ((17, 20), (2, 3), (7, 2))
    """
    top, bottom = numbers[0]
    if form in FORMS:
        a, b, c, d = FORMS[form]
        return reduced(a * top + b * bottom, c * top + d * bottom)
    second_top, second_bottom = numbers[1]
    if form == "product":
        return reduced(top * second_top, bottom * second_bottom)
    numerator, denominator = top * second_bottom, bottom * second_top
    match form:
        case "left":
            numerator = denominator - numerator
        case "and more":
            numerator = denominator + numerator
        case "mixed":
            count, third_bottom = numbers[2]
            numerator, denominator = count * denominator + third_bottom * numerator, third_bottom * denominator
    return reduced(numerator, denominator)


def reduced(top: int, bottom: int) -> Ratio | None:
    """A quotient as numerator and positive denominator without a common divisor; None if bottom is 0."""
    if not bottom:
        return None
    common = gcd(top, bottom) if bottom > 0 else -gcd(top, bottom)
    return top // common, bottom // common
