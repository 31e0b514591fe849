"""Numbers that people derive from one to three others without a calculation, such as 0.85 from 15 % off."""

from collections.abc import Mapping
from math import gcd
from typing import TypeAlias

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
