"""What watches a training: checkpoints, curves, and guard rails that stop a run that goes wrong."""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from callwright.errors import CallwrightError
from callwright.params import TrainParams

_COMPLETE_MARKER = "whole"  # an empty file, written after everything else of a checkpoint


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint in a trainer's folder."""
    whole = [path.parent for path in folder.glob(f"checkpoint-*/{_COMPLETE_MARKER}")]
    return max(whole, key=lambda path: int(path.name.partition("-")[2]), default=None)


def checkpoint_arguments(folder: Path, every: int) -> dict[str, Any]:
    """Arguments for a trainer that leaves a checkpoint every so many steps; its callbacks hold `marker()`."""
    return {"output_dir": str(folder), "save_strategy": "steps", "save_steps": every, "save_total_limit": 2}


def checkpoint_marker() -> Any:
    """A callback that marks a checkpoint as whole: a kill while one is written leaves it unmarked.

    It lets none be written at the end: the trainer goes on from there with a step too many where epochs are no whole
    number, and without its last look at the pairs to watch.
    """
    from transformers import TrainerCallback

    class Marker(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step >= state.max_steps:
                control.should_save = False

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.is_world_process_zero:
                Path(args.output_dir, f"checkpoint-{state.global_step}", _COMPLETE_MARKER).touch()

    return Marker()


METRIC_NAMES = {
    "loss": "loss",
    "rewards/margins": "margin",
    "rewards/accuracies": "preferred",
    "logps/chosen": "chosen_log_probs",
    "logps/rejected": "rejected_log_probs",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
}
LogMetrics = Callable[[dict[str, float], int], None]


def select_metrics(logs: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of one of the trainer's log entries that we keep; those on the pairs to watch begin with dev_.

    >>> select_metrics({"eval_loss": 0.5, "eval_runtime": 2.0})
    {'dev_loss': 0.5}
    """
    theirs, ours = ("eval_", "dev_") if any(name.startswith("eval_") for name in logs) else ("", "")
    return {
        f"{ours}{name}": float(logs[theirs + their]) for their, name in METRIC_NAMES.items() if theirs + their in logs
    }


def training_curve(history: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """A row per logged step of the training itself: its step and numbers; also of the part before a kill."""
    return [{"step": entry["step"], **select_metrics(entry)} for entry in history if "loss" in entry]


def last_dev_metrics(history: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The last numbers on the pairs to watch; nothing where none were watched."""
    return next((select_metrics(entry) for entry in reversed(history) if "eval_loss" in entry), {})


def metrics_reporter(log: LogMetrics) -> Any:
    """A callback that hands every row to `log` on rank 0, with tokens per second: of the rows, before sharing."""
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):
        def __init__(self) -> None:
            self.last_logged: tuple[float, float] | None = None

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            logs = logs or {}
            row = select_metrics(logs)
            if not row or not state.is_world_process_zero:
                return
            if "loss" in logs and "num_tokens" in logs:
                now = (time.perf_counter(), logs["num_tokens"])
                if self.last_logged:
                    row["tokens_per_second"] = (now[1] - self.last_logged[1]) / (now[0] - self.last_logged[0])
                self.last_logged = now
            log(row, state.global_step)

    return Reporter()


MAX_LOSS_RATIO = 20  # times the first logged loss, or times 1 where that was less
MAX_LOG_PROB_FALL = (2.0, 0.5)  # nats, and share of where they began: chosen log-probs that fell by the larger of both
AVERAGED_ROWS = 3  # logged rows that are averaged: single batches differ

_logger = logging.getLogger(__name__)


def stop_reason(history: Sequence[Mapping[str, Any]], advice: str) -> str:
    """Why a training should not go on, from the trainer's log so far, with advice; empty where it should."""
    rows = [row for row in history if "loss" in row]
    if not rows:
        return ""
    last, step = rows[-1], rows[-1]["step"]
    for name in ("loss", "grad_norm"):
        if name in last and not math.isfinite(last[name]):
            return f"{name} is {last[name]} at step {step}: {advice}"
    bound = MAX_LOSS_RATIO * max(rows[0]["loss"], 1)
    if last["loss"] > bound:
        return f"loss is {last['loss']:.3g} at step {step}, {rows[0]['loss']:.3g} at the first: it explodes; {advice}"
    return ""


def warning(history: Sequence[Mapping[str, Any]]) -> str:
    """A warning where the chosen completions have become less likely than they were; else empty.

    DPO rewards the distance between chosen and rejected alone, and may reach it by making both less likely.

    Source: Pal et al., 2024, arXiv 2402.13228.
    """
    chosen = [row["logps/chosen"] for row in history if "loss" in row and "logps/chosen" in row]
    if len(chosen) < 2 * AVERAGED_ROWS:
        return ""
    first, last = fmean(chosen[:AVERAGED_ROWS]), fmean(chosen[-AVERAGED_ROWS:])
    if first - last <= max(MAX_LOG_PROB_FALL[0], MAX_LOG_PROB_FALL[1] * abs(first)):
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
            reason = stop_reason(state.log_history, advice)
            if reason:
                raise CallwrightError(reason)
            said = "" if self.warned else warning(state.log_history)
            if said and state.is_world_process_zero:
                _logger.warning("%s", said)
                self.warned = True

    return GuardRails()
