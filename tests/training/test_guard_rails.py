import math

from callwright.training.callbacks import advice, stop_reason, warm_up_advice, warning
from tests.training.examples import PARAMS

ADVICE = advice(PARAMS)


def history(**columns: list[float]) -> list[dict[str, float]]:
    names = [name.replace("_per_", "/") for name in columns]
    rows = zip(*columns.values(), strict=True)
    return [{"step": 5 * place, **dict(zip(names, row, strict=True))} for place, row in enumerate(rows)]


def test_a_loss_that_is_no_number_stops_and_names_the_step():
    said = stop_reason(history(loss=[0.7, math.nan], grad_norm=[1.0, math.nan]), ADVICE)
    assert said.startswith("loss is nan at step 5: lower train.learning_rate (now 0.005)")


def test_a_warm_up_that_breaks_names_its_own_learning_rate():
    params = PARAMS.model_copy(update={"sft": PARAMS.sft.model_copy(update={"learning_rate": 0.25})})
    assert stop_reason(history(loss=[math.nan]), warm_up_advice(params)) == (
        "loss is nan at step 0: lower train.sft.learning_rate (now 0.25) or train.max_grad_norm"
    )


def test_gradients_that_are_infinite_stop():
    assert stop_reason(history(loss=[0.7, 0.6], grad_norm=[1.0, math.inf]), ADVICE).startswith(
        "grad_norm is inf at step 5"
    )


def test_a_loss_twenty_times_the_first_stops_and_less_does_not():
    assert not stop_reason(history(loss=[2.0, 39.0]), ADVICE)  # 20 * 2 = 40
    assert "loss is 41 at step 5, 2 at the first: it explodes" in stop_reason(history(loss=[2.0, 41.0]), ADVICE)


def test_a_loss_that_began_near_zero_may_grow_to_twenty():
    assert not stop_reason(history(loss=[0.01, 19.0]), ADVICE)
    assert stop_reason(history(loss=[0.01, 21.0]), ADVICE)


def test_only_the_training_s_own_rows_count():
    rows = [*history(loss=[0.7]), {"step": 0, "eval_loss": math.nan}]
    assert stop_reason(rows, ADVICE) == ""
    assert stop_reason([], ADVICE) == ""


def test_chosen_log_probs_that_fall_by_half_are_warned_of():
    falling = [-10.0, -10.0, -10.0, -16.0, -16.0, -16.0]  # by 6, half of 10 is 5
    said = warning(history(loss=[0.5] * 6, logps_per_chosen=falling))
    assert said.startswith("chosen log-probs fell from -10.0 to -16.0: the student unlearns")


def test_chosen_log_probs_that_fall_by_less_or_rise_are_not():
    for chosen in ([-10.0] * 3 + [-14.0] * 3, [-10.0] * 3 + [-1.0] * 3, [-0.5] * 3 + [-2.0] * 3, [-10.0, -90.0]):
        assert warning(history(loss=[0.5] * len(chosen), logps_per_chosen=chosen)) == ""
