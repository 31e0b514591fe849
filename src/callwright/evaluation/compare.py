"""Statistics of shares and of their differences on the same problems. Pure; scipy does the mathematics."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its confidence interval, over n problems."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Gain:
    """A difference of shares on the same problems, with its interval and two p-values (two-sided)."""

    value: float
    low: float
    high: float
    p_mcnemar: float
    p_wilcoxon: float


def share(
    right: Sequence[bool], groups: Sequence[str], confidence: float = 0.95, resamples: int = RESAMPLES
) -> Interval:
    """The share of True, with an interval that resamples whole groups (percentile bootstrap).

    With fewer than two groups, or where all groups agree (a bootstrap would then claim certainty), Wilson's interval.

    Raises:
        ValueError: there is nothing to take a share of.
    """
    if not right:
        raise ValueError("no outcome to take a share of")
    value = sum(right) / len(right)
    sums, counts = _by_group([float(flag) for flag in right], groups)
    if len(counts) < 2 or np.ptp(sums / counts) == 0:
        low, high = stats.binomtest(sum(right), len(right)).proportion_ci(confidence, method="wilson")
        return Interval(value, float(low), float(high), len(right))
    low, high = _cluster_interval(sums, counts, confidence, resamples)
    return Interval(value, low, high, len(right))


def gain(
    before: Sequence[bool],
    after: Sequence[bool],
    groups: Sequence[str],
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Gain:
    """How much more often `after` is right than `before`, problem by problem.

    McNemar's exact test counts the problems that changed; Wilcoxon's signed-rank test is the reference paper's; the
    interval is a paired percentile bootstrap over whole groups.

    Raises:
        ValueError: the sequences differ in length or are empty.
    """
    if not before or not len(before) == len(after) == len(groups):
        raise ValueError("a gain needs the same problems, at least one, before and after")
    differences = [float(b) - float(a) for a, b in zip(before, after, strict=True)]
    won, lost = differences.count(1.0), differences.count(-1.0)
    value = sum(differences) / len(differences)
    sums, counts = _by_group(differences, groups)
    low, high = _cluster_interval(sums, counts, confidence, resamples) if len(counts) > 1 else (-1.0, 1.0)
    if won + lost == 0:
        return Gain(value, low, high, 1.0, 1.0)
    mcnemar = stats.binomtest(min(won, lost), won + lost, 0.5).pvalue
    wilcoxon = stats.wilcoxon(differences, zero_method="wilcox", method="approx").pvalue
    return Gain(value, low, high, float(mcnemar), float(wilcoxon))


def _by_group(values: Sequence[float], groups: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Sums and counts per group, both (number of groups,)."""
    _, places = np.unique(np.asarray(groups), return_inverse=True)
    return np.bincount(places, weights=np.asarray(values)), np.bincount(places).astype(float)


def _cluster_interval(sums: np.ndarray, counts: np.ndarray, confidence: float, resamples: int) -> tuple[float, float]:
    if np.ptp(sums / counts) == 0:
        return float(sums[0] / counts[0]), float(sums[0] / counts[0])
    found = stats.bootstrap(
        (sums, counts),
        lambda s, c, axis: s.sum(axis=axis) / c.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
