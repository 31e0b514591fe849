"""Answers of rows become labels as their task reads them, or are rejected with a reason that says what to do."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.errors import RowError
from callwright.functions.numbers import read_number
from callwright.problems import check
from callwright.records import Json, Problem
from callwright.tasks import TASKS
from callwright.tasks.parts import TaskLabels


def read_label(value: Json, task: str) -> str:
    return check.read_label(value, (task in TASKS and TASKS[task].part("labels")) or TaskLabels())


def reason(value: Json, task: str = "arithmetic") -> str:
    with pytest.raises(RowError) as caught:
        read_label(value, task)
    return caught.value.reason


def grade(label: str, answer: str) -> str:
    return TASKS["arithmetic"].grade(Problem("x", "arithmetic", "q", label, (), "jsonl", "x", "train"), answer)


@pytest.mark.parametrize(
    ("written", "label"),
    [("$1,200", "1200"), (" 3.50 ", "3.5"), ("2/6", "1/3"), ("25%", "25%"), ("12.50 %", "12.5%"), (" - 7", "-7")],
)
def test_a_number_is_converted_exactly_to_one_notation(written: str, label: str):
    assert read_label(written, "arithmetic") == label


def test_a_label_in_percent_is_right_as_25_and_as_a_quarter():
    label = read_label("25%", "arithmetic")
    assert [grade(label, answer) for answer in ("25", "25%", "0.25", "1/4")] == ["right"] * 4
    assert [grade(label, answer) for answer in ("2500", "0.0025", "26", "maybe")] == ["wrong"] * 4
    assert grade(read_label("0.25", "arithmetic"), "25") == "wrong"  # without the sign there is one meaning


@pytest.mark.parametrize("written", ["$18 per hour", "3 km", "5 feet 6 inches", "1e5 m", "12 34", "1,2,3", "7 or 8"])
def test_a_number_with_other_text_is_rejected(written: str):
    assert reason(written) == "answer is more than one number: give the number alone, without its unit"


def test_each_kind_of_invalid_label_has_its_own_reason():
    assert reason(None) == reason("  ") == "answer is missing"
    assert reason("five") == "answer is not a number"
    assert reason(True) == reason(["5"]) == reason({"value": 5}) == "answer is not text"
    assert reason("9" * 701) == "answer is a number of more than 700 characters"
    assert reason("1e61") == "answer is a number that is too large or too small"
    assert reason("x" * 4_001, "clock") == "answer is longer than 4,000 characters"
    assert reason(True, "clock") == reason(False, "translation") == "answer is not text"
    assert reason(["True"], "entailment") == "answer is not text"


def test_a_label_that_a_task_returns_is_checked_as_a_row_is():
    for label, message in (
        ("", "answer is missing"),
        ("x" * 4_001, "longer than 4,000"),
        ("\ud83d", "half a character"),
    ):
        with pytest.raises(RowError, match=message):
            check.read_label("5", TaskLabels(read=lambda _, label=label: label))
    with pytest.raises(TypeError, match=r"`labels\.read` has to return text, not 5$"):
        check.read_label("5", TaskLabels(read=int))


@given(st.fractions() | st.integers().map(Fraction))
def test_a_label_has_the_value_of_the_written_number(number: Fraction):
    written = f"{number.numerator}/{number.denominator}"
    assert read_number(read_label(written, "arithmetic")) == number
    assert read_number(read_label(f"{written}%", "arithmetic")) == number / 100


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**30), max_value=10**30))
def test_a_decimal_keeps_all_its_digits(number):
    assert read_number(read_label(f"{number:f}", "arithmetic")) == Fraction(number)
