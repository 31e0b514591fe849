"""Labels of words: one word in small letters."""

from callwright.errors import RowError
from callwright.tasks.parts import TaskLabels


def _read_word(answer: str | bool) -> str:
    if isinstance(answer, bool) or not answer.isalpha():
        raise RowError("answer is not one word", repr(answer))
    return answer.lower()


LABELS = TaskLabels(read=_read_word, notes={"s": "answers that may be plural"})
