"""Confidence intervals of means over problems that come in groups. Pure; docs/decisions/0009 says why these.

The groups are resampled, and of every resample the studentized deviation is taken (bootstrap-t; Efron and Tibshirani,
1993, chapter 12): with a few dozen groups a percentile bootstrap is too narrow. Of shares that is done on the
variance-stabilising scale of the arcsine, on which an interval stays within 0 and 1.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
Bounds = tuple[float, float]


def share_interval(values: Sequence[float], groups: Sequence[str], confidence: float, resamples: int) -> Bounds:
    """The interval of a mean of values from 0 to 1, such as flags.

    With fewer than two groups, or where all groups agree, there is no spread to go by: Wilson's interval then, which
    takes the problems as independent.
    """
    sums, counts = sum_by_group(values, groups)
    mean = sums.sum() / counts.sum()
    if _has_no_spread(sums, counts) or mean in (0, 1):
        return wilson(round(sums.sum()), len(values), confidence)

    def arcsine_sqrt(means: Array) -> Array:
        return np.arcsin(np.sqrt(np.clip(means, 0, 1)))

    def scale_errors(errors: Array, means: Array, total: Array) -> Array:
        """Standard errors on the arcsine scale; of a resample without spread that of independent problems."""
        slope = 2 * np.sqrt(means * (1 - means))
        found = np.divide(errors, slope, out=np.zeros_like(errors), where=slope > 1e-9)
        return np.where(found > 0, found, 1 / (2 * np.sqrt(total)))

    low, high = _bootstrap_t(sums, counts, confidence, resamples, arcsine_sqrt, scale_errors)
    return float(np.sin(max(low, 0.0)) ** 2), float(np.sin(min(high, np.pi / 2)) ** 2)


def difference_interval(values: Sequence[float], groups: Sequence[str], confidence: float, resamples: int) -> Bounds:
    """The interval of a mean of differences from -1 to 1, one per problem.

    Where all groups agree, or there are fewer than two, any of the problems that Wilson's interval leaves open may be
    different.
    """
    sums, counts = sum_by_group(values, groups)
    mean = sums.sum() / counts.sum()
    if _has_no_spread(sums, counts):
        like_these, _ = wilson(len(values), len(values), confidence)
        low, high = mean * like_these - (1 - like_these), mean * like_these + (1 - like_these)
        return float(max(low, -1.0)), float(min(high, 1.0))
    whole = _standard_errors(sums[None], counts[None])[0]

    def identity(means: Array) -> Array:
        return means

    def scale_errors(errors: Array, _means: Array, _total: Array) -> Array:
        return np.where(errors > 0, errors, whole)

    low, high = _bootstrap_t(sums, counts, confidence, resamples, identity, scale_errors)
    return max(low, -1.0), min(high, 1.0)


def wilson(right: int, count: int, confidence: float) -> Bounds:
    """Wilson's interval of a share of independent problems."""
    found = stats.binomtest(right, count).proportion_ci(confidence, method="wilson")
    return float(found.low), float(found.high)


def sum_by_group(values: Sequence[float], groups: Sequence[str]) -> tuple[Array, Array]:
    """Sums and counts per group, both (G,)."""
    _, places = np.unique(np.asarray(groups), return_inverse=True)
    sums: Array = np.bincount(places, weights=np.asarray(values, dtype=float)).astype(float)
    return sums, np.bincount(places).astype(float)


def _has_no_spread(sums: Array, counts: Array) -> bool:
    return len(counts) < 2 or bool(np.ptp(sums / counts) < 1e-9)  # sums of fractions are rounded


def _standard_errors(sums: Array, counts: Array) -> Array:
    """Of the means of resamples (B, G): the linearised variance of a ratio of sums over independent groups."""
    groups, totals = counts.shape[1], counts.sum(axis=1)
    residuals = sums - (sums.sum(axis=1) / totals)[:, None] * counts
    errors: Array = np.sqrt(groups / (groups - 1) * (residuals**2).sum(axis=1)) / totals
    return errors


def _bootstrap_t(
    sums: Array,
    counts: Array,
    confidence: float,
    resamples: int,
    transform: Callable[[Array], Array],
    scale_errors: Callable[[Array, Array, Array], Array],
) -> Bounds:
    """Bounds on the transformed scale.

    Args:
        scaled: (standard errors, means, number of problems) -> standard errors on the transformed scale, none 0.
    """
    drawn = np.random.default_rng(0).integers(0, len(counts), (resamples, len(counts)))
    drawn_sums, drawn_counts = sums[drawn], counts[drawn]
    totals = drawn_counts.sum(axis=1)
    means = drawn_sums.sum(axis=1) / totals
    errors = scale_errors(_standard_errors(drawn_sums, drawn_counts), means, totals)
    middle = np.array([sums.sum() / counts.sum()])
    total = np.array([counts.sum()])
    centre = float(transform(middle)[0])
    error = float(scale_errors(_standard_errors(sums[None], counts[None]), middle, total)[0])
    deviations = (transform(means) - centre) / errors
    tail = (1 - confidence) / 2
    below, above = np.quantile(deviations, [1 - tail, tail])
    error *= np.sqrt(len(counts) / (len(counts) - 1))  # a resample is narrower than a sample (Hesterberg, 2015)
    return float(centre - below * error), float(centre - above * error)
