"""reports/problems.json: which problems there are, and which rows of the source were dropped."""

from typing import ClassVar

from pydantic import Field

from callwright import paths
from callwright.records import Split
from callwright.reports.report import Report, Section
from callwright.reports.values import Count, omitted


class SplitCounts(Section):
    """Counts of a split; `steps`: number of gold steps before `answer`, as text -> problems."""

    problems: Count
    groups: Count
    steps: dict[str, Count]


class SourceCounts(Section):
    """Counts of a source.

    Attributes:
        rows_read: its problems and unusable rows.
        problems: split -> its problems that are used.
        unused: train problems beyond its share of the mix.
    """

    rows_read: Count = Field(validation_alias="read", serialization_alias="read")
    unusable: Count
    problems: dict[Split, Count]
    unused: Count


class ProblemsReport(Section, Report):
    """Counts of problems and rows.

    Attributes:
        rows_read: problems and unusable rows of all sources.
        left_out: reason -> dropped rows.
        examples: some of the dropped rows, one line each.
        notes: counts of answers that users should check.
        sources: counts by source; a file of an older version has none.
    """

    FILE: ClassVar = paths.PROBLEMS_REPORT

    rows_read: Count = Field(validation_alias="read", serialization_alias="read")
    left_out: dict[str, Count]
    examples: tuple[str, ...]
    notes: dict[str, Count]
    splits: dict[Split, SplitCounts]
    sources: dict[str, SourceCounts] = omitted({})
