import time
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.functions.guard import MAX_BITS
from callwright.functions.numbers import MAX_DIGITS, MAX_NUMBER_CHARACTERS, as_argument, format_number, read_number

integers = st.integers(-(10**20), 10**20)
natural = st.integers(1, 10**20)
fractions = st.builds(Fraction, integers, natural)
decimals = st.builds(lambda digits, decimal_count: Fraction(digits, 10**decimal_count), integers, st.integers(0, 12))


@pytest.mark.parametrize(
    ("value", "number"),
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
        ("−5", Fraction(-5)),  # U+2212, a minus sign
        ("–5", Fraction(-5)),  # U+2013, a dash
        ("- 1 / 2", Fraction(-1, 2)),
        ("-0", Fraction(0)),
        (-0.0, Fraction(0)),
        (1e60, Fraction(10**60)),
        (Decimal("123456789012345678.25"), Fraction(493827156049382713, 4)),  # a float would round it
        (Decimal("1E+3"), Fraction(1000)),
        (Decimal("-0E+999999999"), Fraction(0)),
        ("+5", Fraction(5)),
        ("  7 ", Fraction(7)),
        pytest.param("9" * MAX_DIGITS, Fraction(10**MAX_DIGITS - 1), id="the largest number of digits"),
        pytest.param(" " * 600 + "7", Fraction(7), id="600 spaces and a number"),
    ],
)
def test_common_notations_of_numbers_are_read(value, number):
    assert read_number(value) == number


@pytest.mark.parametrize(
    "value",
    ["", " ", ".", "-", "$", "%", "five", "1 2", "1,2,3", "12,34", "1234,567", "--5", "1/0", "1/-2", "1/2/3", "1e5",
     "5 apples", "٣", "²", "１", "1_000", True, False, None, [1], {}, 1j, float("nan"), float("inf"), float("1e400"),
     Decimal("NaN"), Decimal("Infinity")],
)  # fmt: skip
def test_a_value_that_is_not_a_single_number_is_rejected(value):
    with pytest.raises(ValueError, match=r"^\S.* is not a number$|divides by zero$"):
        read_number(value)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(10**700, id="an integer of 701 digits"),
        pytest.param(10**5000, id="an integer that Python does not print"),
        pytest.param(str(10**MAX_DIGITS * 2), id="a text of 309 digits"),
        pytest.param("1/" + "9" * 400, id="a long denominator"),
        pytest.param("0." + "0" * 400 + "1", id="a small decimal"),
        pytest.param("9" * (MAX_NUMBER_CHARACTERS + 1), id="a long text"),
        pytest.param(Fraction(1, 2**MAX_BITS), id="a fraction"),
        pytest.param(5e-324, id="the smallest float"),
        pytest.param(1e61, id="a large float"),
        pytest.param(Decimal("1E+999999999"), id="a huge exponent"),
        pytest.param(Decimal("1E-999999999"), id="a huge negative exponent"),
        pytest.param(Decimal("1" * 5000 + "E-4990"), id="a long decimal"),
    ],
)
def test_the_size_of_a_number_is_limited_in_every_notation(value):
    with pytest.raises(ValueError, match=r"^a number of more than (308 digits|700 characters)$|^\S+ is out of range$"):
        read_number(value)


@settings(max_examples=500, derandomize=True)
@given(st.text("0123456789,./-+−–$€£% \u00a0\n" * 2 + "ex٣²", max_size=12) | st.text(max_size=6))
def test_reading_agrees_with_a_reader_without_a_pattern(text):
    try:
        number = read_number(text)
    except ValueError:
        number = None
    assert number == _read_without_pattern(text)


def _read_without_pattern(text: str) -> Fraction | None:
    """Read the number in a text; None if the text is not a number."""
    rest = text.strip()
    negative = rest[:1] in ("-", "−", "–")
    if negative or rest[:1] == "+":
        rest = rest[1:].lstrip()
    if rest[:1] in ("$", "€", "£"):
        rest = rest[1:].lstrip()
    percent = rest[-1:] == "%"
    if percent:
        rest = rest[:-1].rstrip()
    numerator, slash, denominator = rest.partition("/")
    integer, _, decimals = numerator.rstrip().partition(".")
    first, *groups = integer.split(",")
    grouped = all(len(group) == 3 for group in groups) and (not groups or 1 <= len(first) <= 3)
    digits = [part for part in (*((first, *groups) if integer else ()), decimals) if part or part is first]
    if not grouped or not (integer or decimals) or not all(_is_digits(part) for part in digits):
        return None
    if slash and (not _is_digits(denominator.strip()) or int(denominator) == 0):
        return None
    number = Fraction(
        int("".join((first, *groups, decimals))), 10 ** len(decimals) * (int(denominator) if slash else 1)
    )
    return (-number if negative else number) / (100 if percent else 1)


def _is_digits(text: str) -> bool:
    return text != "" and all(character in "0123456789" for character in text)


@pytest.mark.parametrize(
    "unit", [" ", "1", "1,111", ",111", ".", "- ", "$ ", "1 ", "1/", "1 / ", "% ", "\u00a0", "1.1 / 1 ", "-"]
)
@pytest.mark.parametrize("start", ["", "1", "-", "- $"])
@pytest.mark.parametrize("end", ["", "x", "%x", "/", "1"])
def test_no_text_is_slow_to_read(unit, start, end):
    text = (start + unit * MAX_NUMBER_CHARACTERS)[: MAX_NUMBER_CHARACTERS - len(end)] + end
    before = time.process_time()
    for _ in range(10):
        try:
            read_number(text)
        except ValueError:
            continue
    assert time.process_time() - before < 0.5  # measured: 0.001 s; a pattern that backtracked took minutes


@pytest.mark.parametrize(
    ("number", "text"),
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
def test_a_number_is_formatted_as_an_integer_or_decimal_if_possible(number, text):
    assert format_number(number) == text


@given(fractions | decimals)
def test_a_formatted_number_is_read_back_exactly(number):
    assert read_number(format_number(number)) == number


@given(decimals)
def test_a_terminating_decimal_is_formatted_without_a_slash_or_trailing_zeros(number):
    text = format_number(number)
    assert "/" not in text
    assert "." not in text or text[-1] not in "0."


@pytest.mark.parametrize(
    ("number", "argument"),
    [
        (Fraction(7), 7),
        (Fraction(7, 4), 1.75),
        (Fraction(1, 3), "1/3"),
        (Fraction(12345678901234567, 8), "1543209862654320.875"),  # 19 digits: a float would round it
    ],
)
def test_an_argument_is_a_json_number_only_if_that_is_exact(number, argument):
    assert as_argument(number) == argument


@given(fractions | decimals)
def test_an_argument_is_read_back_exactly(number):
    assert read_number(as_argument(number)) == number


def test_the_largest_result_can_be_read_back():
    largest = Fraction(2**MAX_BITS - 1)
    assert read_number(format_number(largest)) == largest


@given(
    st.integers(-(2**MAX_BITS) + 1, 2**MAX_BITS - 1), st.integers(1, 2**MAX_BITS - 1) | st.sampled_from([1, 8, 10**12])
)
def test_every_number_within_the_limit_can_be_written_and_read_back(numerator, denominator):
    number = Fraction(numerator, denominator)
    for notation in (format_number(number), as_argument(number)):
        assert read_number(notation) == number
