"""Exact arithmetic on rationals."""

from fractions import Fraction

from callwright.functions.function import strict_function
from callwright.functions.guard import bound_power, bound_result
from callwright.functions.numbers import ZERO_TO_ZERO, Number, WholeNumber, refuse


@strict_function(example={"a": 17, "b": 25})
def add(a: Number, b: Number) -> Number:
    """The sum of two numbers."""
    return bound_result(a + b)


@strict_function(example={"a": 40, "b": 12})
def subtract(a: Number, b: Number) -> Number:
    """The first number less the second."""
    return bound_result(a - b)


@strict_function(example={"a": 6, "b": 8})
def multiply(a: Number, b: Number) -> Number:
    """The product of two numbers."""
    return bound_result(a * b)


@strict_function(example={"a": 84, "b": 7})
def divide(a: Number, b: Number) -> Number:
    """The first number divided by the second."""
    if b == 0:
        raise refuse("cannot divide by zero")
    return bound_result(a / b)


@strict_function(example={"base": 2, "exponent": 5})
def power(base: Number, exponent: WholeNumber) -> Number:
    """A number raised to a whole power."""
    if base == 0 and exponent < 0:
        raise refuse("cannot divide by zero")
    if base == 0 and exponent == 0:
        raise refuse(ZERO_TO_ZERO)
    bound_power(base, exponent)
    return bound_result(Fraction(base**exponent))


@strict_function(example={"a": 17, "b": 5})
def remainder(a: Number, b: Number) -> Number:
    """What is left of the first number after dividing by the second."""
    if b == 0:
        raise refuse("cannot divide by zero")
    return bound_result(a % b)


@strict_function(example={"amount": 80, "percent": 15})
def percent_of(amount: Number, percent: Number) -> Number:
    """A percentage of an amount."""
    return bound_result(amount * percent / 100)


@strict_function(example={"number": 7.38, "decimals": 1})
def round_to(number: Number, decimals: WholeNumber = 0) -> Number:
    """A number rounded to some decimals; halves go away from zero."""
    if not 0 <= decimals <= 12:
        raise refuse("decimals must be between 0 and 12")
    scale = 10**decimals
    magnitude = (abs(number) * scale * 2 + 1) // 2
    return bound_result(Fraction(magnitude if number >= 0 else -magnitude, scale))


@strict_function(example={"value": 42})
def answer(value: Number) -> Number:
    """Give the final answer and stop."""
    return value


ALL = (add, subtract, multiply, divide, power, remainder, percent_of, round_to, answer)
"""In the order in which a prompt describes them."""
