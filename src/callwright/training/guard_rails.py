"""Training that goes wrong says so: a loss that is no number or explodes stops it, falling chosen log-probs warn."""

import logging
import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from callwright.errors import CallwrightError
from callwright.params import TrainParams

EXPLODED = 20  # times the first logged loss, or times 1 where that was less
FALLEN = (2.0, 0.5)  # nats, and share of where they began: chosen log-probs that fell by the larger of both
WINDOW = 3  # logged rows that are averaged: single batches differ

_logger = logging.getLogger(__name__)


def why_stop(history: Sequence[Mapping[str, Any]], advice: str) -> str:
    """Why a training should not go on, from the trainer's log so far, with advice; empty where it should."""
    rows = [row for row in history if "loss" in row]
    if not rows:
        return ""
    last, step = rows[-1], rows[-1]["step"]
    for name in ("loss", "grad_norm"):
        if name in last and not math.isfinite(last[name]):
            return f"{name} is {last[name]} at step {step}: {advice}"
    bound = EXPLODED * max(rows[0]["loss"], 1)
    if last["loss"] > bound:
        return f"loss is {last['loss']:.3g} at step {step}, {rows[0]['loss']:.3g} at the first: it explodes; {advice}"
    return ""


def warning(history: Sequence[Mapping[str, Any]]) -> str:
    """A warning where the chosen completions have become less likely than they were; else empty.

    DPO rewards the distance between chosen and rejected alone, and may reach it by making both less likely.

    Source: Pal et al., 2024, arXiv 2402.13228.
    """
    chosen = [row["logps/chosen"] for row in history if "loss" in row and "logps/chosen" in row]
    if len(chosen) < 2 * WINDOW:
        return ""
    first, last = fmean(chosen[:WINDOW]), fmean(chosen[-WINDOW:])
    if first - last <= max(FALLEN[0], FALLEN[1] * abs(first)):
        return ""
    return (
        f"chosen log-probs fell from {first:.1f} to {last:.1f}: the student unlearns what it should prefer; "
        "give sft more of train.loss_weights, lower train.learning_rate, or raise train.beta"
    )


def advice(params: TrainParams) -> str:
    """What to change where preference training breaks."""
    return f"lower train.learning_rate (now {params.learning_rate:g}) or train.max_grad_norm, or raise train.beta"


def warm_up_advice(params: TrainParams) -> str:
    """What to change where the warm-up breaks."""
    return f"lower train.sft.learning_rate (now {params.sft.learning_rate:g}) or train.max_grad_norm"


def guard_rails(advice: str) -> Any:
    """A callback that stops or warns (once), at every logged step and in every process alike.

    Args:
        advice: what to change where the training breaks.

    Raises:
        CallwrightError: from within the training, with advice.
    """
    from transformers import TrainerCallback

    class GuardRails(TrainerCallback):
        warned = False

        def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            reason = why_stop(state.log_history, advice)
            if reason:
                raise CallwrightError(reason)
            said = "" if self.warned else warning(state.log_history)
            if said and state.is_world_process_zero:
                _logger.warning("%s", said)
                self.warned = True

    return GuardRails()
