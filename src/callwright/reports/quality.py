"""reports/quality.json: what `validate` found in the chains."""

from typing import ClassVar

from pydantic import Field

from callwright import paths
from callwright.reports.checks import CheckResult
from callwright.reports.report import Report, Section
from callwright.reports.values import Count, Share, omitted_if_none


class ChainCounts(Section):
    """Chains read, kept and quarantined; read = kept + quarantined."""

    read: Count = Field(validation_alias="in", serialization_alias="in")
    kept: Count
    quarantined: Count


class Quality(Section, Report):
    """The quality of the chains.

    Attributes:
        correct: model -> share of correct chains; None if no chain was kept.
        first_faults: fault -> chains whose first fault it is; None if no chain was kept.
        ground_not_checked: kept chains whose grounding cannot be checked.
        quarantine_reasons: check -> lines that failed it.
    """

    FILE: ClassVar = paths.QUALITY_REPORT

    chains: ChainCounts
    correct: dict[str, Share] | None = omitted_if_none()
    first_faults: dict[str, Count] | None = omitted_if_none()
    ground_not_checked: Count
    quarantine_reasons: dict[str, Count]
    checks: tuple[CheckResult, ...]

    def with_checks(self, checks: tuple[CheckResult, ...]) -> "Quality":
        """The report with other checks."""
        return self.model_copy(update={"checks": checks})
