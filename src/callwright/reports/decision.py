"""models/registry.json: the gate's decision about a student. Other people's scripts read the file."""

from typing import ClassVar, Literal

from callwright import paths
from callwright.reports.report import Report, Section


class Decision(Section, Report):
    """The gate's decision.

    Attributes:
        reasons: why the student was refused, one sentence each; empty if it was promoted.
        version: of the registered model; None if the student was refused.
        aliases: of that version.
        content: the hash of the student's folder; None in files of early versions.
    """

    FILE: ClassVar = paths.REGISTRY

    decision: Literal["promoted", "refused"]
    reasons: tuple[str, ...]
    model: str
    version: str | None = None
    aliases: tuple[str, ...] = ()
    content: str | None = None

    @property
    def is_promoted(self) -> bool:
        """Whether the student was promoted."""
        return self.decision == "promoted"
