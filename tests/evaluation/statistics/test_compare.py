from math import comb, sqrt

import pytest
from scipy import stats

from callwright.evaluation.statistics.compare import difference, gain, rate, share


def test_a_share_is_right_over_all_and_its_interval_holds_it():
    found = share([True, True, False, True], ["a", "a", "b", "b"])
    assert found.value == 3 / 4
    assert found.n == 4
    assert found.low <= 3 / 4 <= found.high


def test_where_all_agree_the_interval_is_wilsons_and_claims_no_certainty():
    found = share([True] * 10, list("abcdefghij"))
    # Wilson with x = n = 10, z = 1.96: low = 1 / (1 + z^2 / n) = 1 / 1.38416 = 0.7225
    assert found.low == pytest.approx(0.7225, abs=1e-4)
    assert found.high == pytest.approx(1.0)


def test_clusters_widen_the_interval():
    right = [True] * 10 + [False] * 10
    alone = share(right, [str(place) for place in range(20)])
    clustered = share(right, ["a"] * 10 + ["b"] * 10)
    assert clustered.high - clustered.low > alone.high - alone.low


def test_a_rate_has_wilsons_interval():
    found = rate(8, 10)
    # (8 + z^2 / 2 -+ z sqrt(8 * 2 / 10 + z^2 / 4)) / (10 + z^2) with z = 1.96: (9.9208 -+ 3.1361) / 13.8416
    assert (found.low, found.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert (found.value, found.n) == (0.8, 10)
    assert (rate(0, 0).low, rate(0, 0).high) == (0.0, 1.0)


def test_nothing_has_no_share():
    with pytest.raises(ValueError, match="no outcome"):
        share([], [])


def test_a_gain_counts_problem_by_problem():
    before = [False] * 8 + [True, True]
    after = [True] * 8 + [True, False]
    found = gain(before, after, [str(place) for place in range(10)])
    assert found.value == pytest.approx(0.7)  # eight won, one lost, of ten
    # McNemar, exact and two-sided: 2 * (P(0) + P(1)) of Binomial(9, 1/2) = 2 * (1 + 9) / 512
    assert found.p_mcnemar == pytest.approx(20 / 512)
    differences = [float(b) - float(a) for a, b in zip(before, after, strict=True)]
    assert found.p_wilcoxon == pytest.approx(stats.wilcoxon(differences, method="approx").pvalue)
    assert found.low < 0.7 < found.high


def test_no_change_is_no_evidence():
    found = gain([True, False], [True, False], ["a", "b"])
    assert (found.value, found.p_mcnemar, found.p_wilcoxon) == (0.0, 1.0, 1.0)
    assert found.low < 0 < found.high


def test_mcnemar_is_that_of_the_textbook():
    """Of 121 + 59 discordant pairs (Agresti, Categorical Data Analysis): exact, two-sided, as the binomial says."""
    before = [True] * 59 + [False] * 121 + [True] * 20
    after = [False] * 59 + [True] * 121 + [True] * 20
    found = gain(before, after, [str(place) for place in range(200)])
    assert found.value == pytest.approx((121 - 59) / 200)
    assert found.p_mcnemar == pytest.approx(2 * sum(comb(180, k) for k in range(60)) / 2**180)


def test_wilcoxon_on_flags_is_the_normal_approximation_with_ties():
    """12 changed, all ranks tied at 6.5: W+ = 9 * 6.5, mean 39, variance n (n + 1) (2n + 1) / 24 - (n^3 - n) / 48."""
    before, after = [False] * 9 + [True] * 3, [True] * 9 + [False] * 3
    variance = 12 * 13 * 25 / 24 - (12**3 - 12) / 48
    z = (9 * 6.5 - 39) / sqrt(variance)
    found = gain(before, after, [str(place) for place in range(12)])
    assert found.p_wilcoxon == pytest.approx(2 * stats.norm.sf(z))


def test_a_share_of_shares_is_their_mean():
    found = share([0.5, 1.0, 0.25, 0.25], list("abcd"))
    assert (found.value, found.n) == (0.5, 4)
    assert found.low < 0.5 < found.high


def test_a_difference_is_after_less_before():
    found = difference([True, True, False, True], [True, False, False, False], list("abcd"))
    assert found.value == -0.5
    assert -1 <= found.low < -0.5 < found.high <= 1


def test_a_gain_needs_the_same_problems():
    with pytest.raises(ValueError, match="same problems"):
        gain([True], [True, False], ["a"])
