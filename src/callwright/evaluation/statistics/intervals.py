"""Confidence intervals of means over problems that come in groups. Pure; docs/decisions/0009 gives the reasons.

Method: bootstrap-t over whole groups (Efron and Tibshirani, 1993, chapter 12). With a few dozen groups a percentile
bootstrap is too narrow. Shares are transformed to the arcsine scale, which stabilises the variance and keeps the
interval within 0 and 1.

Shapes: G groups, B resamples.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
Bounds = tuple[float, float]


def share_interval(values: Sequence[float], groups: Sequence[str], confidence: float, resamples: int) -> Bounds:
    """The interval of a mean of values from 0 to 1, such as flags.

    With fewer than two groups, or if all groups have the same mean, the bootstrap has no variance to use, so Wilson's
    interval is returned, which assumes independent problems.

    Args:
        groups: the group of each value.
        resamples: number of bootstrap resamples.
    """
    sums, counts = sum_by_group(values, groups)
    mean = sums.sum() / counts.sum()
    if _has_no_spread(sums, counts) or mean in (0, 1):
        return wilson_interval(round(sums.sum()), len(values), confidence)

    def arcsine_sqrt(means: Array) -> Array:
        return np.arcsin(np.sqrt(np.clip(means, 0, 1)))

    def scale_errors(errors: Array, means: Array, total: Array) -> Array:
        """Standard errors on the arcsine scale; a resample without spread gets that of independent problems."""
        slope = 2 * np.sqrt(means * (1 - means))
        scaled = np.divide(errors, slope, out=np.zeros_like(errors), where=slope > 1e-9)
        return np.where(scaled > 0, scaled, 1 / (2 * np.sqrt(total)))

    low, high = _bootstrap_t(sums, counts, confidence, resamples, arcsine_sqrt, scale_errors)
    return float(np.sin(max(low, 0.0)) ** 2), float(np.sin(min(high, np.pi / 2)) ** 2)


def difference_interval(values: Sequence[float], groups: Sequence[str], confidence: float, resamples: int) -> Bounds:
    """The interval of a mean of differences from -1 to 1, one per problem.

    With fewer than two groups, or if all groups have the same mean, the bootstrap has no variance to use. Wilson's
    interval then bounds the share of problems that may differ from those seen, by up to 1 in either direction.

    Args:
        groups: the group of each value.
        resamples: number of bootstrap resamples.
    """
    sums, counts = sum_by_group(values, groups)
    mean = sums.sum() / counts.sum()
    if _has_no_spread(sums, counts):
        lower_bound_unchanged, _ = wilson_interval(len(values), len(values), confidence)
        may_differ = 1 - lower_bound_unchanged
        low, high = mean * lower_bound_unchanged - may_differ, mean * lower_bound_unchanged + may_differ
        return float(max(low, -1.0)), float(min(high, 1.0))
    full_error = _standard_errors(sums[None], counts[None])[0]

    def identity(means: Array) -> Array:
        return means

    def scale_errors(errors: Array, _means: Array, _total: Array) -> Array:
        return np.where(errors > 0, errors, full_error)

    low, high = _bootstrap_t(sums, counts, confidence, resamples, identity, scale_errors)
    return max(low, -1.0), min(high, 1.0)


def wilson_interval(successes: int, count: int, confidence: float) -> Bounds:
    """Wilson's interval of a share of independent events."""
    interval = stats.binomtest(successes, count).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def sum_by_group(values: Sequence[float], groups: Sequence[str]) -> tuple[Array, Array]:
    """Sums and counts per group, both float64 (G,), groups in sorted order."""
    _, group_index = np.unique(np.asarray(groups), return_inverse=True)
    sums: Array = np.bincount(group_index, weights=np.asarray(values, dtype=float)).astype(float)
    return sums, np.bincount(group_index).astype(float)


def _has_no_spread(sums: Array, counts: Array) -> bool:
    return len(counts) < 2 or bool(np.ptp(sums / counts) < 1e-9)  # not 0: sums of fractions are rounded


def _standard_errors(sums: Array, counts: Array) -> Array:
    """Standard errors (B,) of the means of resamples, whose sums and counts are (B, G).

    From the linearised variance of a ratio of sums over independent groups.
    """
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
        sums, counts: per group, (G,).
        transform: means (B,) -> means on the transformed scale (B,).
        scale_errors: (standard errors, means, number of problems), each (B,) -> standard errors on the transformed
            scale (B,), all above 0.
    """
    resampled = np.random.default_rng(0).integers(0, len(counts), (resamples, len(counts)))
    resampled_sums, resampled_counts = sums[resampled], counts[resampled]
    totals = resampled_counts.sum(axis=1)
    means = resampled_sums.sum(axis=1) / totals
    errors = scale_errors(_standard_errors(resampled_sums, resampled_counts), means, totals)
    mean = np.array([sums.sum() / counts.sum()])
    total = np.array([counts.sum()])
    centre = float(transform(mean)[0])
    error = float(scale_errors(_standard_errors(sums[None], counts[None]), mean, total)[0])
    deviations = (transform(means) - centre) / errors
    tail = (1 - confidence) / 2
    below, above = np.quantile(deviations, [1 - tail, tail])
    error *= np.sqrt(len(counts) / (len(counts) - 1))  # a resample is narrower than a sample (Hesterberg, 2015)
    return float(centre - below * error), float(centre - above * error)
