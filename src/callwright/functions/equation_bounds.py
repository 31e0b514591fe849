"""How large the polynomials of an equation can become, bounded before SymPy gets it.

A tree amounts to a quotient of two polynomials with integer coefficients. Their degrees and the sums of their
coefficients' absolute values are bounded from the tree alone: the sum of a product is at most the product of the sums.
What solving costs grows with degree times bits (docs/decisions/0012).
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

from callwright.functions.guard import LIMIT_REACHED, MAX_BITS, MAX_DEGREE, MAX_DEGREE_BITS, MAX_SYSTEM_DEGREE
from callwright.functions.numbers import refuse

Tree: TypeAlias = tuple[Any, ...]
"""Nested tuples: ("number", Fraction), ("name", str), ("+" | "-" | "*" | "/", left, right), ("**", base, int)."""


NOT_LINEAR = "several equations must be linear: no products, powers or quotients of unknowns"


class Bounds(NamedTuple):
    """Upper bounds of a quotient of polynomials: degrees, and bits of the sum of the coefficients' absolute values."""

    degree: int
    bits: int
    bottom_degree: int
    bottom_bits: int


def bound_equation(tree: Tree) -> Bounds:
    """The bounds of a tree. The bounds of its parts are checked too.

    Raises:
        CallError: execution_error: the degree is above MAX_DEGREE, or the numbers are too large for it.
    """
    match tree:
        case ("number", number):
            bounds = _bound_number(number)
        case ("name", _):
            bounds = Bounds(1, 0, 0, 0)
        case ("**", base, exponent):
            base_bounds = bound_equation(base)
            bounds = Bounds(
                *(abs(exponent) * bound for bound in (_inverse(base_bounds) if exponent < 0 else base_bounds))
            )
        case (operator, left, right):
            bounds = _bound_operation(operator, bound_equation(left), bound_equation(right))
    degree = max(bounds.degree, bounds.bottom_degree)
    size = max(bounds.bits, bounds.bottom_bits)
    if degree > MAX_DEGREE:
        raise refuse(f"{LIMIT_REACHED}: the equation has a degree above {MAX_DEGREE}; try a simpler one")
    if size > MAX_BITS or degree * size > MAX_DEGREE_BITS:
        raise refuse(f"{LIMIT_REACHED}: the numbers of the equation are too large; try a simpler one")
    return bounds


def check_system(trees: Iterable[Tree]) -> None:
    """Refuse a system that is visibly not linear, before anything is computed.

    Raises:
        CallError: execution_error: an unknown is divided by, or the degree is above MAX_SYSTEM_DEGREE.
    """
    for tree in trees:
        bounds = bound_equation(tree)
        if bounds.bottom_degree > 0 or bounds.degree > MAX_SYSTEM_DEGREE:
            raise refuse(NOT_LINEAR)


def _bound_number(number: Fraction) -> Bounds:
    # (n - 1).bit_length() is the logarithm of n to base 2, rounded up
    numerator_bits, denominator_bits = (
        (max(abs(part), 1) - 1).bit_length() for part in (number.numerator, number.denominator)
    )
    return Bounds(0, numerator_bits, 0, denominator_bits)


def _bound_operation(operator: str, left: Bounds, right: Bounds) -> Bounds:
    if operator == "/":
        right = _inverse(right)
    bottom = left.bottom_degree + right.bottom_degree, left.bottom_bits + right.bottom_bits
    if operator in "*/":
        return Bounds(left.degree + right.degree, left.bits + right.bits, *bottom)
    return Bounds(  # a/b + c/d = (ad + cb) / bd
        max(left.degree + right.bottom_degree, right.degree + left.bottom_degree),
        max(left.bits + right.bottom_bits, right.bits + left.bottom_bits) + 1,
        *bottom,
    )


def _inverse(bounds: Bounds) -> Bounds:
    return Bounds(bounds.bottom_degree, bounds.bottom_bits, bounds.degree, bounds.bits)
