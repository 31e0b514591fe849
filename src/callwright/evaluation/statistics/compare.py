"""Shares and their differences on the same problems, each with what it is worth. Pure; scipy does the mathematics."""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from callwright.evaluation.statistics.intervals import difference_interval, share_interval

RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its confidence interval, over n problems."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of shares on the same problems, with its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Gain(Difference):
    """A difference with two p-values (two-sided)."""

    p_mcnemar: float
    p_wilcoxon: float


def share(
    right: Sequence[float], groups: Sequence[str], confidence: float = 0.95, resamples: int = RESAMPLES
) -> Interval:
    """The mean of flags, or of shares, with an interval that resamples whole groups.

    Raises:
        ValueError: there is nothing to take a share of.
    """
    if not right:
        raise ValueError("no outcome to take a share of")
    values = [float(one) for one in right]
    low, high = share_interval(values, groups, confidence, resamples)
    return Interval(sum(values) / len(values), low, high, len(values))


def rate(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """A share of things that happened one by one, such as replies, with Wilson's interval; of none: 0, from 0 to 1."""
    if n == 0:
        return Interval(0.0, 0.0, 1.0, 0)
    interval = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    return Interval(successes / n, float(interval.low), float(interval.high), n)


def difference(
    before: Sequence[bool],
    after: Sequence[bool],
    groups: Sequence[str],
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Difference:
    """How much more often `after` is right than `before`, with an interval that resamples whole groups of pairs.

    Raises:
        ValueError: the sequences differ in length or are empty.
    """
    differences = _paired_differences(before, after, groups)
    low, high = difference_interval(differences, groups, confidence, resamples)
    return Difference(sum(differences) / len(differences), low, high)


def gain(
    before: Sequence[bool],
    after: Sequence[bool],
    groups: Sequence[str],
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Gain:
    """The difference, and whether it could be chance.

    McNemar's exact test counts the problems that changed; Wilcoxon's signed-rank test is the reference paper's. Both
    take the problems as independent, which the interval does not.

    Raises:
        ValueError: the sequences differ in length or are empty.
    """
    found = difference(before, after, groups, confidence, resamples)
    differences = _paired_differences(before, after, groups)
    won, lost = differences.count(1.0), differences.count(-1.0)
    if won + lost == 0:
        return Gain(found.value, found.low, found.high, 1.0, 1.0)
    mcnemar = stats.binomtest(min(won, lost), won + lost, 0.5).pvalue
    wilcoxon = stats.wilcoxon(differences, zero_method="wilcox", method="approx").pvalue
    return Gain(found.value, found.low, found.high, float(mcnemar), float(wilcoxon))


def _paired_differences(before: Sequence[bool], after: Sequence[bool], groups: Sequence[str]) -> list[float]:
    if not before or not len(before) == len(after) == len(groups):
        raise ValueError("a gain needs the same problems, at least one, before and after")
    return [float(b) - float(a) for a, b in zip(before, after, strict=True)]
