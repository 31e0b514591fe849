"""Convert the answers in a source's rows to labels, in the notation that the task's grader reads."""

import re
from fractions import Fraction

from callwright.errors import RowError
from callwright.functions.numbers import MAX_EXPONENT, MAX_NUMBER_CHARACTERS, format_number, read_number
from callwright.problems.row_fields import MAX_ANSWER_CHARACTERS, check_text
from callwright.records import Json
from callwright.tasks.entailment.functions import read_truth_value

_SCIENTIFIC = re.compile(r"-?[0-9]+(?:\.[0-9]+)?[eE]([+-]?[0-9]{1,20})")
_HAS_NUMBER = re.compile(r"[0-9]")


def read_label(value: Json, task: str) -> str:
    """Convert the answer of a row to the label of a problem.

    Numbers stay exact and keep their percent sign. Truth values become True, False or Unknown. Answers of other tasks
    stay unchanged.

    Raises:
        RowError: the answer is missing, or is not an answer of this task.
    """
    if task == "entailment" and isinstance(value, bool):
        value = str(value)
    if value is None or value == "":
        raise RowError("answer is missing")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RowError("answer is not text or a finite number" if isinstance(value, float) else "answer is not text")
    text = check_text(str(value).strip(), "answer", MAX_ANSWER_CHARACTERS)
    if not text:
        raise RowError("answer is missing")
    if task == "arithmetic":
        return _number_label(text)
    return str(read_truth_value(text)) if task == "entailment" else text


def _number_label(text: str) -> str:
    if scientific := _SCIENTIFIC.fullmatch(text):
        if abs(int(scientific[1])) > MAX_EXPONENT:
            raise RowError("answer is a number that is too large or too small", text[:40])
        return format_number(Fraction(text))
    number = read_plain_number(text)
    return f"{format_number(number * 100)}%" if text.endswith("%") else format_number(number)


def read_plain_number(text: str) -> Fraction:
    """Parse a label as a number; "25%" is 1/4.

    Raises:
        RowError: the text is not exactly one number, or includes words such as a unit.
    """
    number_text = " ".join(text.split())
    if len(number_text) > MAX_NUMBER_CHARACTERS:
        raise RowError(f"answer is a number of more than {MAX_NUMBER_CHARACTERS} characters")
    try:
        return read_number(number_text)
    except ValueError:
        if _HAS_NUMBER.search(number_text):
            reason = "answer is more than one number: give the number alone, without its unit"
            raise RowError(reason, repr(number_text[:80])) from None
        raise RowError("answer is not a number", repr(number_text[:80])) from None
