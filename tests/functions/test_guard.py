import time
from fractions import Fraction

import pytest

from callwright.errors import CallError
from callwright.functions.guard import MAX_BITS, bits, bound_power, bound_product
from callwright.functions.toolbox import Observation
from tests.fakes import TOOLBOX, call

TOO_LARGE = ("execution_error", "the result would be too large")
HALF = MAX_BITS // 2


def outcome(text: str) -> Observation | tuple[str, str]:
    result = TOOLBOX.open().execute(call(text))
    return result if isinstance(result, Observation) else (result.fault, result.message)


def test_a_huge_power_is_refused_at_once():
    start = time.perf_counter()
    assert outcome("power(9, 999999999)") == TOO_LARGE
    assert time.perf_counter() - start < 0.5  # computing it would take minutes


@pytest.mark.parametrize("text", ["power(9, -999999999)", "power(1/9, 999999999)", "power(-9, 999999999)"])
def test_the_bound_holds_for_negative_exponents_fractions_and_negative_bases(text):
    assert outcome(text) == TOO_LARGE


@pytest.mark.parametrize(
    ("text", "result"),
    [("power(1, 999999999)", "1"), ("power(-1, 999999999)", "-1"), ("power(0, 999999999)", "0")],
)
def test_a_power_that_stays_small_may_have_a_huge_exponent(text, result):
    assert outcome(text).text == result


def test_bits_are_those_of_the_larger_of_numerator_and_denominator():
    assert bits(Fraction(7)) == 3
    assert bits(Fraction(1, 8)) == 4
    assert bits(Fraction(-7)) == 3


def test_a_power_is_bounded_by_bits_times_exponent():
    bound_power(Fraction(2), HALF)  # 2 has two bits
    for exponent in (HALF + 1, -HALF - 1):
        with pytest.raises(CallError, match="too large"):
            bound_power(Fraction(2), exponent)


def test_a_product_is_bounded_by_the_sum_of_bits():
    largest = Fraction(2**HALF - 1)  # HALF bits
    bound_product(largest, largest)
    with pytest.raises(CallError, match="too large"):
        bound_product(largest, largest + 1)


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "remainder", "percent_of"])
def test_every_operation_on_two_numbers_is_bounded(name):
    huge = 2 ** (MAX_BITS - 1)
    assert outcome(f"{name}({huge}, {huge})") == TOO_LARGE


def test_results_cannot_grow_without_bound_over_many_calls():
    number, calls = "3", 0
    while isinstance(result := outcome(f"multiply({number}, {number})"), Observation):
        number, calls = result.text, calls + 1
    assert result == TOO_LARGE
    assert calls == 9  # 3**(2**9) has 812 bits: its square would have more than 1,024
