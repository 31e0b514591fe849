"""Labels of entailment: True, False or Unknown, as text or as a JSON truth value."""

from callwright.tasks.entailment.functions import read_truth_value
from callwright.tasks.parts import TaskLabels


def _read_truth_label(answer: str | bool) -> str:
    """Other text stays: the grader rejects it, with a message that says what it takes."""
    return str(read_truth_value(answer))


LABELS = TaskLabels(read=_read_truth_label)
