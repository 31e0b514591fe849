"""Intervals against values derived by hand, and how often they contain a known true value."""

import numpy as np
import pytest

from callwright.evaluation.statistics.intervals import (
    difference_interval,
    share_interval,
    sum_by_group,
    wilson_interval,
)
from tests.evaluation.statistics.grouped_outcomes import draw_outcomes


def test_values_are_summed_by_group():
    sums, counts = sum_by_group([1.0, 0.0, 1.0, 1.0], ["b", "a", "b", "a"])
    assert (sums.tolist(), counts.tolist()) == ([1.0, 2.0], [2.0, 2.0])


def test_wilsons_interval_equals_the_formula():
    # z = 1.96: (x + z^2/2 -+ z sqrt(x (n - x) / n + z^2/4)) / (n + z^2) with x = 8, n = 10
    # = (8 + 1.9207 -+ 1.96 sqrt(1.6 + 0.9604)) / 13.8415 = (9.9207 -+ 3.1363) / 13.8415
    assert wilson_interval(8, 10, 0.95) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@pytest.mark.parametrize("groups", [["a"] * 10, list("aabbccddee")])
def test_without_spread_between_groups_a_share_has_wilsons_interval(groups: list[str]):
    assert share_interval([1.0, 0.0] * 5, groups, 0.95, 500) == wilson_interval(5, 10, 0.95)


def test_groups_that_differ_only_by_rounding_have_no_spread():
    """0.1 + 0.2 and 0.3 + 0 differ in the last bit; without tolerance the interval would be a point."""
    values, groups = [0.1, 0.2, 0.3, 0.0] * 5, list("aabb") * 5
    low, high = share_interval(values, groups, 0.95, 500)
    assert high - low > 0.1
    low, high = difference_interval(values, groups, 0.95, 500)
    assert high - low > 0.1


def test_a_share_of_all_or_nothing_has_wilsons_interval():
    assert share_interval([0.0, 0.0, 0.0], ["a", "b", "c"], 0.95, 500) == wilson_interval(0, 3, 0.95)


def test_an_interval_of_a_share_stays_within_0_and_1():
    flags = [1.0] * 39 + [0.0]
    low, high = share_interval(flags, [str(number // 2) for number in range(40)], 0.95, 2_000)
    assert 0.6 < low < 39 / 40 < high <= 1


def test_with_one_problem_per_group_the_interval_is_close_to_wilsons():
    flags = [1.0] * 60 + [0.0] * 40
    interval = share_interval(flags, [str(number) for number in range(100)], 0.95, 20_000)
    assert interval == pytest.approx(wilson_interval(60, 100, 0.95), abs=0.02)


def test_repeating_every_problem_does_not_narrow_the_interval():
    """Ten copies of each problem in its group give the same interval as one."""
    flags = [1.0] * 30 + [0.0] * 20
    once = share_interval(flags, [str(number) for number in range(50)], 0.95, 2_000)
    tenfold = share_interval(np.repeat(flags, 10).tolist(), np.repeat(range(50), 10).astype(str).tolist(), 0.95, 2_000)
    assert tenfold == pytest.approx(once, abs=1e-9)


def test_without_changes_the_interval_allows_for_a_few_changed_problems():
    low, high = difference_interval([0.0] * 10, list("abcdefghij"), 0.95, 500)
    # Wilson of 10 of 10 begins at 0.7225: up to 0.2775 of the problems may differ, either way
    assert (low, high) == pytest.approx((-0.2775, 0.2775), abs=1e-4)


def test_if_all_problems_were_won_the_interval_allows_for_a_smaller_gain():
    low, high = difference_interval([1.0] * 10, list("abcdefghij"), 0.95, 500)
    assert (low, high) == pytest.approx((2 * 0.7225 - 1, 1.0), abs=1e-4)


def test_a_negated_difference_has_the_negated_interval():
    values, groups = [1.0, 1.0, 0.0, -1.0, 1.0, 0.0], list("aabbcc")
    low, high = difference_interval(values, groups, 0.95, 5_000)
    negated_low, negated_high = difference_interval([-value for value in values], groups, 0.95, 5_000)
    assert (-negated_high, -negated_low) == pytest.approx((low, high), abs=1e-9)


def test_a_higher_confidence_gives_a_wider_interval():
    flags, groups = [1.0, 1.0, 0.0, 1.0, 0.0, 1.0] * 5, [str(number // 3) for number in range(30)]
    narrow, wide = (share_interval(flags, groups, confidence, 2_000) for confidence in (0.8, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.slow
@pytest.mark.parametrize(("share", "correlation"), [(0.5, 0.0), (0.5, 0.3), (0.9, 0.1)])
def test_the_interval_of_a_share_has_its_nominal_coverage(share: float, correlation: float):
    """24 unequal groups. 1,500 data sets give the coverage to 0.6 points; benchmarks/coverage.py measures more."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(1_500):
        values, groups = draw_outcomes(rng, share, correlation)
        low, high = share_interval(values, groups, 0.95, 400)
        covered += low <= share <= high
    assert covered / 1_500 == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
def test_the_interval_of_a_gain_has_its_nominal_coverage():
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(1_500):
        after, groups = draw_outcomes(rng, 0.85, 0.1)
        before, _ = draw_outcomes(rng, 0.3, 0.3, groups)
        low, high = difference_interval([b - a for a, b in zip(before, after, strict=True)], groups, 0.95, 400)
        covered += low <= 0.55 <= high
    assert covered / 1_500 == pytest.approx(0.95, abs=0.02)
