"""Bounds that hold before anything is computed: reply length, nesting, literal size, number magnitude.

Not covered here: seconds and memory of a call. Arithmetic cannot exceed them within these bounds; solvers will run in
a worker process of their own.
"""

from fractions import Fraction

from callwright.errors import CallError

MAX_CALL_CHARACTERS = 2_000
MAX_DEPTH = 8
MAX_ITEMS = 64  # of a list, a dict or an argument list
MAX_BITS = 1_024  # of a numerator or denominator


def bits(number: Fraction) -> int:
    """Bits of the larger of numerator and denominator."""
    return max(number.numerator.bit_length(), number.denominator.bit_length())


def bound_product(left: Fraction, right: Fraction) -> None:
    """Refuse a product or quotient that would exceed MAX_BITS, before it is computed."""
    if bits(left) + bits(right) > MAX_BITS:
        raise CallError("execution_error", "the result would be too large")


def bound_power(base: Fraction, exponent: int) -> None:
    """Refuse a power that would exceed MAX_BITS, before it is computed."""
    if bits(base) > 1 and bits(base) * abs(exponent) > MAX_BITS:
        raise CallError("execution_error", "the result would be too large")
