"""Check that the gate's decision is a promotion of the student that is in models/ now."""

from pathlib import Path

from callwright import paths
from callwright.errors import DataError, GateError
from callwright.reports.decision import Decision
from callwright.storage.files import folder_hash


def require_promoted(decision: Decision, student: Path = paths.STUDENT) -> None:
    """Raise unless the decision is a promotion of the current student.

    Args:
        student: the folder of the current student.

    Raises:
        GateError: the student was refused, or the decision was made for another student.
        DataError: there is no student.
    """
    if not decision.is_promoted:
        raise GateError(f"refused: {'; '.join(decision.reasons or ('no reason given',))}")
    if not student.is_dir():
        raise DataError(f"{student} is missing, so its promotion cannot be checked: run dvc pull, or dvc repro")
    if decision.content != folder_hash(student):
        raise GateError(f"stale: {paths.REGISTRY} was made for another student than {student}; run dvc repro")
