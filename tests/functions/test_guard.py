import time
from fractions import Fraction

import pytest

from callwright.errors import CallError
from callwright.functions.guard import MAX_BITS, check_power_size, check_result_size, count_bits
from callwright.functions.toolbox import Observation
from tests.fakes import TOOLBOX, call

TOO_LARGE = ("execution_error", "the result would be too large")


def outcome(text: str) -> Observation | tuple[str, str]:
    """Execute a call, and return its observation, or the fault and the message of its error."""
    result = TOOLBOX.open().execute(call(text))
    return result if isinstance(result, Observation) else (result.fault, result.message)


def test_a_huge_power_is_rejected_at_once():
    start = time.perf_counter()
    assert outcome("power(9, 999999999)") == TOO_LARGE
    assert time.perf_counter() - start < 0.5  # computing it would take minutes


@pytest.mark.parametrize("text", ["power(9, -999999999)", "power(1/9, 999999999)", "power(-9, 999999999)"])
def test_the_limit_applies_to_negative_exponents_fractions_and_negative_bases(text):
    assert outcome(text) == TOO_LARGE


@pytest.mark.parametrize(
    ("text", "result"),
    [("power(1, 999999999)", "1"), ("power(-1, 999999999)", "-1"), ("power(0, 999999999)", "0")],
)
def test_a_power_that_stays_small_may_have_a_huge_exponent(text, result):
    assert outcome(text).text == result


def test_the_larger_of_numerator_and_denominator_determines_the_bits():
    assert count_bits(Fraction(7)) == 3
    assert count_bits(Fraction(1, 8)) == 4
    assert count_bits(Fraction(-7)) == 3


def test_a_power_that_is_certainly_too_large_is_rejected_before_it_is_computed():
    check_power_size(
        Fraction(2), MAX_BITS
    )  # 2 ** 1024 is the smallest number with 1,025 bits: rejected after it is computed
    for exponent in (MAX_BITS + 1, -MAX_BITS - 1):
        with pytest.raises(CallError, match="too large"):
            check_power_size(Fraction(2), exponent)


def test_the_largest_power_is_returned_and_the_next_is_an_error():
    assert outcome("power(2, 1023)").value == 2**1023  # 1,024 bits
    assert outcome("power(2, 1024)") == TOO_LARGE


def test_a_result_may_have_as_many_bits_as_an_argument():
    largest = Fraction(2**MAX_BITS - 1)
    assert check_result_size(largest) == largest
    for larger in (largest + 1, -largest - 1, 1 / (largest + 1)):
        with pytest.raises(CallError, match="too large"):
            check_result_size(larger)


@pytest.mark.parametrize(
    "text",
    [
        "add({0}, {0})",
        "subtract({0}, -{0})",
        "multiply({0}, {0})",
        "divide({0}, 1/{0})",
        "remainder(1/{1}, 1/{0})",
        "percent_of({0}, 300)",
        "round_to({2}/3, 12)",
    ],
)
def test_the_result_of_every_operation_is_limited(text):
    assert outcome(text.format(2 ** (MAX_BITS - 1), 2 ** (MAX_BITS - 1) - 1, 2**MAX_BITS - 2)) == TOO_LARGE


@pytest.mark.parametrize(("text", "result"), [("subtract({0}, {0})", "0"), ("divide({0}, {0})", "1"),
                                              ("remainder({0}, {0})", "0")])  # fmt: skip
def test_a_small_result_of_large_numbers_is_returned(text, result):
    assert outcome(text.format(2 ** (MAX_BITS - 1))).text == result


def test_results_cannot_grow_without_limit_over_many_calls():
    number, calls = "3", 0
    while isinstance(result := outcome(f"multiply({number}, {number})"), Observation):
        number, calls = result.text, calls + 1
    assert result == TOO_LARGE
    assert calls == 9  # 3**(2**9) has 812 bits: its square would have more than 1,024
