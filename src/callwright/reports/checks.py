"""The outcomes of data checks in the reports of `validate` and `pairs`."""

from callwright.reports.report import Section


class CheckResult(Section):
    """The outcome of one check; see `callwright.validation.suites.suite.Check`, whose rows are not cut.

    Attributes:
        rows: ids of some failing rows.
    """

    suite: str
    name: str
    column: str
    severity: str
    says: str
    success: bool
    observed: str
    rows: tuple[str, ...]
