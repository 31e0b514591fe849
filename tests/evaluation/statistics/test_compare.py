from math import comb, sqrt

import pytest
from scipy import stats

from callwright.evaluation.statistics.compare import difference, gain, rate_with_interval, share_with_interval


def test_a_share_is_correct_over_all_and_is_within_its_interval():
    result = share_with_interval([True, True, False, True], ["a", "a", "b", "b"])
    assert result.value == 3 / 4
    assert result.n == 4
    assert result.low <= 3 / 4 <= result.high


def test_if_all_outcomes_agree_the_interval_is_wilsons():
    result = share_with_interval([True] * 10, list("abcdefghij"))
    # Wilson with x = n = 10, z = 1.96: low = 1 / (1 + z^2 / n) = 1 / 1.38416 = 0.7225
    assert result.low == pytest.approx(0.7225, abs=1e-4)
    assert result.high == pytest.approx(1.0)


def test_groups_widen_the_interval():
    outcomes = [True] * 10 + [False] * 10
    independent = share_with_interval(outcomes, [str(number) for number in range(20)])
    grouped = share_with_interval(outcomes, ["a"] * 10 + ["b"] * 10)
    assert grouped.high - grouped.low > independent.high - independent.low


def test_a_rate_has_wilsons_interval():
    result = rate_with_interval(8, 10)
    # (8 + z^2 / 2 -+ z sqrt(8 * 2 / 10 + z^2 / 4)) / (10 + z^2) with z = 1.96: (9.9208 -+ 3.1361) / 13.8416
    assert (result.low, result.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert (result.value, result.n) == (0.8, 10)
    assert (rate_with_interval(0, 0).low, rate_with_interval(0, 0).high) == (0.0, 1.0)


def test_a_share_of_no_outcomes_is_an_error():
    with pytest.raises(ValueError, match="no outcome"):
        share_with_interval([], [])


def test_a_gain_compares_problem_by_problem():
    before = [False] * 8 + [True, True]
    after = [True] * 8 + [True, False]
    result = gain(before, after, [str(number) for number in range(10)])
    assert result.value == pytest.approx(0.7)  # eight won, one lost, of ten
    # McNemar, exact and two-sided: 2 * (P(0) + P(1)) of Binomial(9, 1/2) = 2 * (1 + 9) / 512
    assert result.p_mcnemar == pytest.approx(20 / 512)
    differences = [float(b) - float(a) for a, b in zip(before, after, strict=True)]
    assert result.p_wilcoxon == pytest.approx(stats.wilcoxon(differences, method="approx").pvalue)
    assert result.low < 0.7 < result.high


def test_without_changes_the_p_values_are_1():
    result = gain([True, False], [True, False], ["a", "b"])
    assert (result.value, result.p_mcnemar, result.p_wilcoxon) == (0.0, 1.0, 1.0)
    assert result.low < 0 < result.high


def test_mcnemar_equals_the_textbooks_value():
    """Of 121 + 59 discordant pairs (Agresti, Categorical Data Analysis): exact, two-sided, as the binomial says."""
    before = [True] * 59 + [False] * 121 + [True] * 20
    after = [False] * 59 + [True] * 121 + [True] * 20
    result = gain(before, after, [str(number) for number in range(200)])
    assert result.value == pytest.approx((121 - 59) / 200)
    assert result.p_mcnemar == pytest.approx(2 * sum(comb(180, k) for k in range(60)) / 2**180)


def test_wilcoxon_on_flags_is_the_normal_approximation_with_ties():
    """12 changed, all ranks tied at 6.5: W+ = 9 * 6.5, mean 39, variance n (n + 1) (2n + 1) / 24 - (n^3 - n) / 48."""
    before, after = [False] * 9 + [True] * 3, [True] * 9 + [False] * 3
    variance = 12 * 13 * 25 / 24 - (12**3 - 12) / 48
    z = (9 * 6.5 - 39) / sqrt(variance)
    result = gain(before, after, [str(number) for number in range(12)])
    assert result.p_wilcoxon == pytest.approx(2 * stats.norm.sf(z))


def test_a_share_of_shares_is_their_mean():
    result = share_with_interval([0.5, 1.0, 0.25, 0.25], list("abcd"))
    assert (result.value, result.n) == (0.5, 4)
    assert result.low < 0.5 < result.high


def test_a_difference_is_after_minus_before():
    result = difference([True, True, False, True], [True, False, False, False], list("abcd"))
    assert result.value == -0.5
    assert -1 <= result.low < -0.5 < result.high <= 1


def test_a_gain_of_different_problems_is_an_error():
    with pytest.raises(ValueError, match="same problems"):
        gain([True], [True, False], ["a"])
