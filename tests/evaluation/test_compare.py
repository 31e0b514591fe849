import pytest
from scipy import stats

from callwright.evaluation.compare import gain, share


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
    assert (found.value, found.low, found.high, found.p_mcnemar, found.p_wilcoxon) == (0.0, 0.0, 0.0, 1.0, 1.0)


def test_a_gain_needs_the_same_problems():
    with pytest.raises(ValueError, match="same problems"):
        gain([True], [True, False], ["a"])
