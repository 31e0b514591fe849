"""Shares, and differences of shares on the same problems, with confidence intervals and p-values. Pure.

Arguments of all functions here: `groups` has the group of each value; `confidence` is the level of the interval;
`resamples` is the number of bootstrap resamples.
"""

from collections.abc import Sequence

from scipy import stats

from callwright.evaluation.statistics.intervals import difference_interval, share_interval, wilson_interval
from callwright.reports.metrics import Difference, Gain, Interval

RESAMPLES = 2_000


def share_with_interval(
    outcomes: Sequence[float], groups: Sequence[str], confidence: float = 0.95, resamples: int = RESAMPLES
) -> Interval:
    """The mean of flags or of values from 0 to 1, with an interval that resamples whole groups.

    Raises:
        ValueError: there are no outcomes.
    """
    if not outcomes:
        raise ValueError("there are no outcomes")
    values = [float(outcome) for outcome in outcomes]
    low, high = share_interval(values, groups, confidence, resamples)
    return Interval(value=sum(values) / len(values), low=low, high=high, n=len(values))


def rate_with_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """The share of successes among n independent events, such as replies, with Wilson's interval.

    Without events the value is 0 and the interval is 0 to 1.
    """
    if n == 0:
        return Interval(value=0.0, low=0.0, high=1.0, n=0)
    low, high = wilson_interval(successes, n, confidence)
    return Interval(value=successes / n, low=low, high=high, n=n)


def difference(
    before: Sequence[bool],
    after: Sequence[bool],
    groups: Sequence[str],
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Difference:
    """The share of `after` minus the share of `before`, with an interval that resamples whole groups of problems.

    Raises:
        ValueError: the sequences differ in length or are empty.
    """
    differences = _paired_differences(before, after, groups)
    low, high = difference_interval(differences, groups, confidence, resamples)
    return Difference(value=sum(differences) / len(differences), low=low, high=high)


def gain(
    before: Sequence[bool],
    after: Sequence[bool],
    groups: Sequence[str],
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Gain:
    """The difference, and p-values for the hypothesis that there is none.

    McNemar's exact test counts the problems whose outcome changed. Wilcoxon's signed-rank test is the one that the
    reference paper uses. Both assume independent problems; the interval does not.

    Raises:
        ValueError: the sequences differ in length or are empty.
    """
    change = difference(before, after, groups, confidence, resamples)
    differences = _paired_differences(before, after, groups)
    won, lost = differences.count(1.0), differences.count(-1.0)
    if won + lost == 0:
        return Gain(value=change.value, low=change.low, high=change.high, p_mcnemar=1.0, p_wilcoxon=1.0)
    mcnemar = stats.binomtest(min(won, lost), won + lost, 0.5).pvalue
    wilcoxon = stats.wilcoxon(differences, zero_method="wilcox", method="approx").pvalue
    p_values = {"p_mcnemar": float(mcnemar), "p_wilcoxon": float(wilcoxon)}
    return Gain(value=change.value, low=change.low, high=change.high, **p_values)


def _paired_differences(before: Sequence[bool], after: Sequence[bool], groups: Sequence[str]) -> list[float]:
    if not before or not len(before) == len(after) == len(groups):
        raise ValueError("a gain needs the same problems, at least one, before and after")
    return [float(b) - float(a) for a, b in zip(before, after, strict=True)]
