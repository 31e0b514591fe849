from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.functions.guard import MAX_BITS
from callwright.functions.numbers import MAX_CHARACTERS, as_argument, format_number, read_number

whole = st.integers(-(10**20), 10**20)
natural = st.integers(1, 10**20)
fractions = st.builds(Fraction, whole, natural)
decimals = st.builds(lambda digits, places: Fraction(digits, 10**places), whole, st.integers(0, 12))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (7, Fraction(7)),
        (3.0, Fraction(3)),
        (0.1, Fraction(1, 10)),  # not the binary float's 0.1000000000000000055...
        (1e16, Fraction(10**16)),
        (1e-7, Fraction(1, 10**7)),
        (Fraction(2, 3), Fraction(2, 3)),
        ("1,200", Fraction(1200)),
        ("1,234,567.5", Fraction(2469135, 2)),
        ("$18", Fraction(18)),
        ("-$5", Fraction(-5)),
        ("3.50", Fraction(7, 2)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("1/2", Fraction(1, 2)),
        ("1.5 / 2", Fraction(3, 4)),
        ("25%", Fraction(1, 4)),
        ("−5", Fraction(-5)),
        ("+5", Fraction(5)),
        ("  7 ", Fraction(7)),
        ("9" * MAX_CHARACTERS, Fraction(10**MAX_CHARACTERS - 1)),
    ],
)
def test_a_number_is_read_as_a_person_means_it(written, meant):
    assert read_number(written) == meant


@pytest.mark.parametrize(
    "written",
    ["", " ", ".", "-", "$", "%", "five", "1 2", "1,2,3", "12,34", "1234,567", "--5", "1/0", "1/-2", "1/2/3", "1e5",
     "5 apples", True, False, None, [1], float("nan"), float("inf"), 5e-324, 1e300, "9" * (MAX_CHARACTERS + 1)],
)  # fmt: skip
def test_what_is_not_one_number_is_refused(written):
    with pytest.raises(ValueError, match=r"number|divides by zero|out of range"):
        read_number(written)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (Fraction(0), "0"),
        (Fraction(6, 3), "2"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(1, 3), "1/3"),
        (Fraction(-22, 7), "-22/7"),
        (Fraction(5, 100), "0.05"),
        (Fraction(1, 4096), "0.000244140625"),  # 2**12: twelve decimals
        (Fraction(1, 8192), "1/8192"),  # 2**13 would take thirteen
    ],
)
def test_a_number_is_shown_as_integer_or_decimal_where_it_is_one(number, shown):
    assert format_number(number) == shown


@given(fractions | decimals)
def test_what_is_shown_reads_back_exactly(number):
    assert read_number(format_number(number)) == number


@given(decimals)
def test_a_terminating_decimal_is_shown_without_a_slash_or_a_needless_zero(number):
    shown = format_number(number)
    assert "/" not in shown
    assert "." not in shown or shown[-1] not in "0."


@pytest.mark.parametrize(
    ("number", "argument"),
    [
        (Fraction(7), 7),
        (Fraction(7, 4), 1.75),
        (Fraction(1, 3), "1/3"),
        (Fraction(12345678901234567, 8), "1543209862654320.875"),  # 19 digits: a float would round it
    ],
)
def test_an_argument_is_a_json_number_only_where_that_is_exact(number, argument):
    assert as_argument(number) == argument


@given(fractions | decimals)
def test_an_argument_means_the_number_exactly(number):
    assert read_number(as_argument(number)) == number


def test_the_largest_result_that_is_shown_can_be_read_back():
    largest = Fraction(2**MAX_BITS - 1)
    assert read_number(format_number(largest)) == largest
