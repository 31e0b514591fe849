"""Checkpoints and guard rails of a training."""

import math
from pathlib import Path

from callwright.training.callbacks import (
    last_checkpoint,
    log_prob_warning,
    preference_advice,
    stop_reason,
    warm_up_advice,
)
from tests.training.examples import PARAMS

ADVICE = preference_advice(PARAMS)


def history(**columns: list[float]) -> list[dict[str, float]]:
    """A trainer's log with one entry every 5 steps; "_per_" in a column's name stands for "/"."""
    names = [name.replace("_per_", "/") for name in columns]
    entries = zip(*columns.values(), strict=True)
    return [{"step": 5 * index, **dict(zip(names, entry, strict=True))} for index, entry in enumerate(entries)]


def test_an_incomplete_checkpoint_is_ignored(tmp_path: Path):
    for step, complete in ((5, True), (10, True), (15, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if complete:
            (folder / "whole").touch()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"
    assert last_checkpoint(tmp_path / "nowhere") is None


def test_a_loss_that_is_nan_stops_the_training_and_the_reason_has_the_step():
    reason = stop_reason(history(loss=[0.7, math.nan], grad_norm=[1.0, math.nan]), ADVICE)
    assert reason.startswith("loss is nan at step 5: lower train.learning_rate (now 0.005)")


def test_the_advice_for_a_warm_up_names_its_learning_rate():
    params = PARAMS.model_copy(update={"sft": PARAMS.sft.model_copy(update={"learning_rate": 0.25})})
    assert stop_reason(history(loss=[math.nan]), warm_up_advice(params)) == (
        "loss is nan at step 0: lower train.sft.learning_rate (now 0.25) or train.max_grad_norm"
    )


def test_infinite_gradients_stop_the_training():
    assert stop_reason(history(loss=[0.7, 0.6], grad_norm=[1.0, math.inf]), ADVICE).startswith(
        "grad_norm is inf at step 5"
    )


def test_a_loss_above_twenty_times_the_first_stops_the_training():
    assert not stop_reason(history(loss=[2.0, 39.0]), ADVICE)  # 20 * 2 = 40
    assert "loss is 41 at step 5, 2 at the first: it explodes" in stop_reason(history(loss=[2.0, 41.0]), ADVICE)


def test_a_loss_that_starts_near_zero_may_grow_to_twenty():
    assert not stop_reason(history(loss=[0.01, 19.0]), ADVICE)
    assert stop_reason(history(loss=[0.01, 21.0]), ADVICE)


def test_only_entries_of_training_steps_are_checked():
    entries = [*history(loss=[0.7]), {"step": 0, "eval_loss": math.nan}]
    assert stop_reason(entries, ADVICE) == ""
    assert stop_reason([], ADVICE) == ""


def test_chosen_log_probs_that_fall_by_more_than_half_give_a_warning():
    falling = [-10.0, -10.0, -10.0, -16.0, -16.0, -16.0]  # by 6; half of 10 is 5
    message = log_prob_warning(history(loss=[0.5] * 6, logps_per_chosen=falling))
    assert message.startswith("chosen log-probs fell from -10.0 to -16.0: the student unlearns")


def test_chosen_log_probs_that_fall_by_less_or_rise_give_no_warning():
    for chosen in ([-10.0] * 3 + [-14.0] * 3, [-10.0] * 3 + [-1.0] * 3, [-0.5] * 3 + [-2.0] * 3, [-10.0, -90.0]):
        assert log_prob_warning(history(loss=[0.5] * len(chosen), logps_per_chosen=chosen)) == ""
