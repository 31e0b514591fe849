"""How often the evaluation's intervals contain the true value, compared with scipy's bootstrap.

    python benchmarks/coverage.py                  # about two minutes
    python benchmarks/coverage.py --data-sets 4000 --settings all

The true value of the random data sets is known: groups have very unequal sizes (log-normal), and in each group a model
is right with the group's own probability (beta, with the intra-group correlation of the column). Shares: of a model
that is right with the probability of the column. Differences: `gain` (0.30 to 0.85, correlations 0.3 and 0.1), `small
gain` (0.3 to 0.5, none), `none` (0.8 twice, 0.2), `gap` (5 % of the problems lost, 0.1). An interval of 95 % should
contain the true value in 95 of 100 data sets; the figure in brackets is its mean width. With 2,000 data sets the figure
is accurate to one percentage point. The last line gives the largest deviation of our intervals.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from callwright.evaluation.statistics.intervals import difference_interval, share_interval, wilson_interval

CONFIDENCE = 0.95
RESAMPLES = 600
FEWEST = 24  # groups; with fewer, no interval is reliable (docs/decisions/0009)
Sizes = np.ndarray
Bounds = tuple[float, float]


@dataclass(frozen=True)
class Setting:
    """Groups of `mean` problems on average; `what`: the share, or the kind of difference, that is estimated."""

    groups: int
    mean: int
    what: float | str
    correlation: float = 0.0

    def draw(self, rng: np.random.Generator) -> tuple[list[float], list[str], float]:
        """Values, their groups, and the true mean."""
        sizes = np.maximum(1, np.round(rng.lognormal(0, 0.6, self.groups) * self.mean / 1.2)).astype(int)
        names = np.repeat(np.arange(self.groups), sizes).astype(str).tolist()

        def flags(share: float, correlation: float) -> np.ndarray:
            return rng.random(sizes.sum()) < np.repeat(_of_groups(share, correlation, self.groups, rng), sizes)

        match self.what:
            case float(share):
                return flags(share, self.correlation).astype(float).tolist(), names, share
            case "gain":
                values, truth = flags(0.85, 0.1) - flags(0.3, 0.3).astype(float), 0.55
            case "small gain":
                values, truth = flags(0.5, 0) - flags(0.3, 0).astype(float), 0.2
            case "none":
                shares = np.repeat(_of_groups(0.8, 0.2, self.groups, rng), sizes)
                before, after = (rng.random(len(shares)) < shares for _ in range(2))
                values, truth = before - after.astype(float), 0.0
            case _:
                values, truth = flags(0.05, 0.1).astype(float), 0.05
        return values.tolist(), names, truth


def _of_groups(share: float, correlation: float, groups: int, rng: np.random.Generator) -> np.ndarray:
    if correlation == 0:
        return np.full(groups, share)
    scale = (1 - correlation) / correlation
    return rng.beta(share * scale, (1 - share) * scale, groups)


def ours(setting: Setting) -> Callable[[list[float], list[str]], Bounds]:
    interval = share_interval if isinstance(setting.what, float) else difference_interval
    return lambda values, groups: interval(values, groups, CONFIDENCE, RESAMPLES)


def scipy_bootstrap(method: str) -> Callable[[list[float], list[str]], Bounds]:
    """Whole groups resampled by scipy, which has no bootstrap-t."""

    def interval(values: list[float], groups: list[str]) -> Bounds:
        _, group_indices = np.unique(groups, return_inverse=True)
        sums, counts = np.bincount(group_indices, weights=values), np.bincount(group_indices).astype(float)
        if np.ptp(sums / counts) == 0:
            return wilson_interval(round(sums.sum()), len(values), CONFIDENCE)
        result = stats.bootstrap(
            (sums, counts),
            lambda s, c, axis: s.sum(axis=axis) / c.sum(axis=axis),
            paired=True,
            vectorized=True,
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            method=method,
            rng=np.random.default_rng(0),
        ).confidence_interval
        return result.low, result.high

    return interval


def settings(which: str) -> Iterator[Setting]:
    """The default's number of groups; with `all`, also fewer and more."""
    for groups, mean in [(24, 12)] if which == "default" else [(12, 12), (24, 12), (57, 6)]:
        for share in (0.5, 0.9):
            for correlation in (0.0, 0.1, 0.3):
                yield Setting(groups, mean, share, correlation)
        for kind in ("gain", "small gain", "none", "gap"):
            yield Setting(groups, mean, kind)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-sets", type=int, default=1000)
    parser.add_argument("--settings", choices=["default", "all"], default="default")
    args = parser.parse_args()
    print(f"{'groups':>6} {'value':>10} {'corr.':>5} {'ours':>14} {'percentile':>14} {'BCa':>14}")
    worst = 0.0
    for setting in settings(args.settings):
        ways = {"ours": ours(setting), "percentile": scipy_bootstrap("percentile"), "BCa": scipy_bootstrap("BCa")}
        held, width = dict.fromkeys(ways, 0), dict.fromkeys(ways, 0.0)
        rng = np.random.default_rng(11)
        for _ in range(args.data_sets):
            values, groups, truth = setting.draw(rng)
            for name, interval in ways.items():
                low, high = interval(values, groups)
                held[name] += low <= truth <= high
                width[name] += high - low
        shown = [f"{held[name] / args.data_sets:7.1%} ({width[name] / args.data_sets:.2f})" for name in ways]
        correlation = f"{setting.correlation:.1f}" if isinstance(setting.what, float) else ""
        print(f"{setting.groups:>6} {setting.what!s:>10} {correlation:>5} " + " ".join(shown), flush=True)
        if setting.groups >= FEWEST:
            worst = max(worst, abs(held["ours"] / args.data_sets - CONFIDENCE))
    print(f"ours, from {FEWEST} groups on: at most {100 * worst:.1f} percentage points off {CONFIDENCE:.0%}")


if __name__ == "__main__":
    main()
