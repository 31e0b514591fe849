"""Labels of arithmetic: exact numbers in one notation, which keep their percent sign."""

import re
from fractions import Fraction

from callwright.errors import RowError
from callwright.functions.numbers import MAX_EXPONENT, MAX_NUMBER_CHARACTERS, format_number, read_number
from callwright.tasks.parts import TaskLabels

_SCIENTIFIC = re.compile(r"-?[0-9]+(?:\.[0-9]+)?[eE]([+-]?[0-9]{1,20})")
_HAS_NUMBER = re.compile(r"[0-9]")


def _read_number_label(answer: str | bool) -> str:
    if isinstance(answer, bool):
        raise RowError("answer is not text")
    if scientific := _SCIENTIFIC.fullmatch(answer):
        if abs(int(scientific[1])) > MAX_EXPONENT:
            raise RowError("answer is a number that is too large or too small", answer[:40])
        return format_number(Fraction(answer))
    number = read_plain_number(answer)
    return f"{format_number(number * 100)}%" if answer.endswith("%") else format_number(number)


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


LABELS = TaskLabels(
    read=_read_number_label,
    notes={"%": "answers in percent (25 and 0.25 are both right for 25%)"},  # as the task's grader decides
)
