"""The ratios to plain TRL are those of the same repeat, since the load of a machine changes."""

import pytest

from tests.working_tree import ROOT

with pytest.MonkeyPatch.context() as patch:  # scripts import each other by their names
    patch.syspath_prepend(ROOT / "benchmarks")
    from measurements import Figure
    from views_speed import PLAIN_TRL, RATES, Batches, computed_tokens, print_rates


def test_a_ratio_is_of_the_rates_of_one_repeat(capsys: pytest.CaptureFixture[str]):
    rates = {PLAIN_TRL: (2.0, 1.0), "shared": (12.0, 7.0)}  # 6 and 7 times as many
    figures = [
        Figure(kind, "", name, rate, repeat)
        for kind in RATES
        for name, of_arm in rates.items()
        for repeat, rate in enumerate(of_arm)
    ]
    print_rates(figures, list(rates))
    assert f"ratio of pairs/s, shared / {PLAIN_TRL}: 6.50 (6.00 to 7.00; 2 repeats)" in capsys.readouterr().out


def test_plain_trl_computes_whole_sequences_and_their_padding():
    row = {"prompt_ids": [1, 2, 3], "chosen_ids": [4], "rejected_ids": [5, 6]}
    # two sequences of 5 positions, of which one is padding; shared: 3 of the prompt, 1 and 2
    assert computed_tokens(Batches([row], [1])) == (10, 6)
