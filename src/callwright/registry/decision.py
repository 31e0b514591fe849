"""The contents of models/registry.json. Other people's scripts read the file: keep its keys."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from callwright import paths
from callwright.errors import DataError, GateError
from callwright.storage.files import folder_hash, read_json


@dataclass(frozen=True, slots=True)
class PromotionDecision:
    """The gate's decision about a student. The fields are the keys of the file.

    Attributes:
        reasons: why the student was refused, one sentence each; empty if it was promoted.
        version: of the registered model; None if the student was refused.
        aliases: of that version.
        content: the hash of the student's folder.
    """

    decision: Literal["promoted", "refused"]
    reasons: tuple[str, ...]
    model: str
    version: str | None
    aliases: tuple[str, ...]
    content: str


def require_promoted(decision: dict[str, Any], student: Path = paths.STUDENT) -> None:
    """Raise unless the decision is a promotion of the current student.

    Args:
        decision: models/registry.json.
        student: the folder of the current student.

    Raises:
        GateError: the student was refused, or the decision was made for another student.
        DataError: there is no student.
    """
    if decision.get("decision") != "promoted":
        raise GateError(f"refused: {'; '.join(decision.get('reasons') or ['no reason given'])}")
    if not student.is_dir():
        raise DataError(f"{student} is missing, so its promotion cannot be checked: run dvc pull, or dvc repro")
    if decision.get("content") != folder_hash(student):
        raise GateError(f"stale: {paths.REGISTRY} was made for another student than {student}; run dvc repro")


def read_decision() -> dict[str, Any]:
    """Read models/registry.json.

    Raises:
        DataError: it is missing or malformed.
    """
    decision = read_json(paths.REGISTRY)
    if not isinstance(decision, dict):
        raise DataError(f"{paths.REGISTRY} is not a decision file: run dvc repro")
    return decision
