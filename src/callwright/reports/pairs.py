"""reports/pairs.json: which preference pairs there are."""

from typing import ClassVar

from callwright import paths
from callwright.reports.checks import CheckResult
from callwright.reports.report import Report, Section
from callwright.reports.values import Amount, Count, omitted_if_none


class SplitPairs(Section):
    """The pairs of a split.

    Attributes:
        problems: problems with a chain.
        forks: pairs before duplicates are dropped and limits are applied, not forks of the tree.
        kinds: kind -> pairs.
        answer_chosen, answer_rejected: pairs that choose or reject `answer`.
        demonstrations: right chains for the warm-up; None for a split that is not trained on.
    """

    problems: Count
    forks: Count
    pairs: Count
    kinds: dict[str, Count]
    answer_chosen: Count
    answer_rejected: Count
    mean_margin: Amount
    demonstrations: Count | None = omitted_if_none()

    def with_demonstrations(self, count: int) -> "SplitPairs":
        """The counts with the number of demonstrations."""
        return self.model_copy(update={"demonstrations": count})


class PairsReport(Section, Report):
    """The pairs of both splits, and the checks of all pairs."""

    FILE: ClassVar = paths.PAIRS_REPORT

    train: SplitPairs
    dev: SplitPairs
    checks: tuple[CheckResult, ...]
