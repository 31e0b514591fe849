from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.errors import CallError
from callwright.tasks.arithmetic.functions import add, divide, multiply, remainder, round_to, subtract
from tests.fakes import TOOLBOX, call

numbers = st.builds(Fraction, st.integers(-(10**6), 10**6), st.integers(1, 10**4))
divisors = numbers.filter(bool)


@pytest.mark.parametrize(
    ("written", "result"),
    [
        ("add(2, 3)", "5"),
        ("add(0.1, 0.2)", "0.3"),
        ("add(1/3, 1/6)", "0.5"),
        ("subtract(3, 5)", "-2"),
        ("subtract(0.3, 0.1)", "0.2"),
        ("multiply(-4, 2.5)", "-10"),
        ("multiply(1/3, 3)", "1"),
        ("divide(84, 7)", "12"),
        ("divide(1, 3)", "1/3"),
        ("divide(-1, 8)", "-0.125"),
        ("power(2, 10)", "1024"),
        ("power(2, -3)", "0.125"),
        ("power(-2, 3)", "-8"),
        ("power(2/3, 2)", "4/9"),
        ("power(5, 0)", "1"),
        ("power(0, 3)", "0"),
        ("remainder(17, 5)", "2"),
        ("remainder(7.5, 2)", "1.5"),
        ("remainder(-7, 3)", "2"),  # -7 = -3 x 3 + 2
        ("percent_of(80, 15)", "12"),
        ("percent_of(50, 12.5)", "6.25"),
        ("round_to(2.4)", "2"),
        ("round_to(7.38, 1)", "7.4"),
        ("round_to(2/3, 3)", "0.667"),
        ('answer("$1,200")', "1200"),
        ("answer(6/4)", "1.5"),
    ],
)
def test_results_are_exact(written, result):
    assert TOOLBOX.open().execute(call(written)).text == result


@pytest.mark.parametrize(
    ("written", "rounded"),
    [
        ("round_to(0.5)", "1"),  # to even would give 0
        ("round_to(2.5)", "3"),  # to even would give 2
        ("round_to(-2.5)", "-3"),  # up would give -2
        ("round_to(0.125, 2)", "0.13"),
        ("round_to(-0.125, 2)", "-0.13"),
        ("round_to(1.005, 2)", "1.01"),  # a binary float would give 1.0
        ("round_to(-0.4)", "0"),
    ],
)
def test_halves_are_rounded_away_from_zero(written, rounded):
    assert TOOLBOX.open().execute(call(written)).text == rounded


@pytest.mark.parametrize("written", ["divide(5, 0)", "remainder(5, 0)", "power(0, -1)", "divide(0, 0.0)"])
def test_dividing_by_zero_is_a_call_error(written):
    result = TOOLBOX.open().execute(call(written))
    assert isinstance(result, CallError)
    assert (result.fault, result.message) == ("execution_error", "cannot divide by zero")


def test_zero_to_the_power_of_zero_is_a_call_error():
    result = TOOLBOX.open().execute(call("power(0, 0)"))
    assert isinstance(result, CallError)
    assert (result.fault, result.message) == ("execution_error", "0 to the power of 0 is not defined")


@pytest.mark.parametrize("decimals", [-1, 13, 999999999])
def test_a_number_of_decimals_out_of_range_is_a_call_error(decimals):
    with pytest.raises(CallError, match="decimals must be between 0 and 12"):
        round_to(Fraction(1), decimals)


@given(numbers, divisors)
def test_subtract_undoes_add_and_multiply_undoes_divide(a, b):
    assert subtract(add(a, b), b) == a
    assert multiply(divide(a, b), b) == a


@given(numbers, divisors)
def test_the_remainder_is_smaller_than_the_divisor_and_the_rest_divides_evenly(a, b):
    rest = remainder(a, b)
    assert abs(rest) < abs(b)
    assert divide(a - rest, b).denominator == 1


@given(numbers, st.integers(0, 12))
def test_rounding_changes_a_number_by_at_most_half_a_unit(number, decimals):
    rounded = round_to(number, decimals)
    assert abs(rounded - number) <= Fraction(1, 2 * 10**decimals)
    assert (rounded * 10**decimals).denominator == 1


@given(numbers)
def test_rounding_treats_both_signs_alike(number):
    assert round_to(-number, 1) == -round_to(number, 1)
