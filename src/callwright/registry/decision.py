"""What models/registry.json says: the contract that other people's scripts lean on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from callwright import paths
from callwright.errors import DataError, GateError
from callwright.storage.files import folder_hash, read_json


@dataclass(frozen=True, slots=True)
class PromotionDecision:
    """What the gate decided of a student.

    Attributes:
        reasons: of a refusal, each a sentence.
        version: of the registered model; None where it was refused.
        aliases: of that version.
        content: the hash of the student's folder that was decided of.
    """

    decision: Literal["promoted", "refused"]
    reasons: tuple[str, ...]
    model: str
    version: str | None
    aliases: tuple[str, ...]
    content: str


def require_promoted(outcome: dict[str, Any], student: Path = paths.STUDENT) -> None:
    """Stop unless the gate let through the student that lies there now.

    Raises:
        GateError: it refused, or decided of another student; says why.
        DataError: there is no student.
    """
    if outcome.get("decision") != "promoted":
        raise GateError(f"refused: {'; '.join(outcome.get('reasons') or ['no reason given'])}")
    if not student.is_dir():
        raise DataError(f"{student} is missing, so nobody can say whether it was promoted: run dvc pull, or dvc repro")
    if outcome.get("content") != folder_hash(student):
        raise GateError(f"stale: {paths.REGISTRY} was decided of another student than {student}; run dvc repro")


def read_decision() -> dict[str, Any]:
    """models/registry.json.

    Raises:
        DataError: it is missing or malformed.
    """
    outcome = read_json(paths.REGISTRY)
    if not isinstance(outcome, dict):
        raise DataError(f"{paths.REGISTRY} is no decision: run dvc repro")
    return outcome
