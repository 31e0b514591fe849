"""Trainer callbacks: checkpoints, curves, and guard rails that stop a failing training."""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from callwright.errors import CallwrightError
from callwright.params import TrainParams

_COMPLETE_MARKER = "whole"  # an empty file, written after all other files of a checkpoint


def checkpoint_step(checkpoint: Path) -> int:
    """The step after which a trainer wrote a checkpoint folder.

    >>> checkpoint_step(Path("work/pairs/checkpoint-10"))
    10
    """
    return int(checkpoint.name.partition("-")[2])


def last_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint in a trainer's folder; None if there is none."""
    complete = [path.parent for path in folder.glob(f"checkpoint-*/{_COMPLETE_MARKER}")]
    return max(complete, key=checkpoint_step, default=None)


def checkpoint_arguments(folder: Path, every_steps: int) -> dict[str, Any]:
    """Trainer arguments for a checkpoint every `every_steps` steps; the trainer also needs `checkpoint_marker()`."""
    return {"output_dir": str(folder), "save_strategy": "steps", "save_steps": every_steps, "save_total_limit": 2}


def checkpoint_marker() -> Any:
    """A callback that marks each checkpoint as complete: if the process is killed while writing, the mark is missing.

    Skips the final checkpoint: resuming from it would run one extra step (if `epochs` is not a whole number) and skip
    the last evaluation on the dev pairs.
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
"""The trainer's name of a metric -> Callwright's name."""

LogMetrics = Callable[[dict[str, float], int], None]
"""Called with (metrics, step)."""


def select_metrics(logs: Mapping[str, Any]) -> dict[str, float]:
    """The metrics of one trainer log entry under Callwright's names; those on the dev pairs start with dev_.

    >>> select_metrics({"eval_loss": 0.5, "eval_runtime": 2.0})
    {'dev_loss': 0.5}
    """
    trainer_prefix, prefix = ("eval_", "dev_") if any(name.startswith("eval_") for name in logs) else ("", "")
    return {
        f"{prefix}{name}": float(logs[trainer_prefix + trainer_name])
        for trainer_name, name in METRIC_NAMES.items()
        if trainer_prefix + trainer_name in logs
    }


def training_curve(history: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """One row per logged training step, with the step and its metrics; includes the steps before a resume."""
    return [{"step": entry["step"], **select_metrics(entry)} for entry in history if "loss" in entry]


def last_dev_metrics(history: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The last metrics on the dev pairs; empty if there are no dev pairs."""
    return next((select_metrics(entry) for entry in reversed(history) if "eval_loss" in entry), {})


def metrics_reporter(log: LogMetrics) -> Any:
    """A callback that passes every logged entry to `log`, on rank 0 only.

    Adds `tokens_per_second`, counted before prefix sharing.
    """
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):
        def __init__(self) -> None:
            self.last_logged: tuple[float, float] | None = None  # (seconds, tokens)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            logs = logs or {}
            metrics = select_metrics(logs)
            if not metrics or not state.is_world_process_zero:
                return
            if "loss" in logs and "num_tokens" in logs:
                seconds, tokens = time.perf_counter(), logs["num_tokens"]
                if self.last_logged:
                    last_seconds, last_tokens = self.last_logged
                    metrics["tokens_per_second"] = (tokens - last_tokens) / (seconds - last_seconds)
                self.last_logged = (seconds, tokens)
            log(metrics, state.global_step)

    return Reporter()


MAX_LOSS_RATIO = 20  # times the first logged loss, or times 1 if the first loss is less than 1
# The warning appears if chosen log-probs fell by more than both limits.
MAX_LOG_PROB_FALL_NATS = 2.0
MAX_LOG_PROB_FALL_SHARE = 0.5  # of the first log-probs
AVERAGED_ENTRIES = 3  # log entries that are averaged, because single batches vary

_logger = logging.getLogger(__name__)


def stop_reason(history: Sequence[Mapping[str, Any]], advice: str) -> str:
    """Why a training must stop, judged by the trainer's log so far, followed by the advice; empty: continue."""
    entries = [entry for entry in history if "loss" in entry]
    if not entries:
        return ""
    last, step = entries[-1], entries[-1]["step"]
    for name in ("loss", "grad_norm"):
        if name in last and not math.isfinite(last[name]):
            return f"{name} is {last[name]} at step {step}: {advice}"
    first_loss = entries[0]["loss"]
    if last["loss"] > MAX_LOSS_RATIO * max(first_loss, 1):
        return f"loss is {last['loss']:.3g} at step {step}, {first_loss:.3g} at the first: it explodes; {advice}"
    return ""


def log_prob_warning(history: Sequence[Mapping[str, Any]]) -> str:
    """A warning if the chosen completions became less likely than at the start; else empty.

    DPO rewards only the distance between chosen and rejected, and may increase it by making both less likely.

    Source: Pal et al., 2024, arXiv 2402.13228.
    """
    chosen = [entry["logps/chosen"] for entry in history if "loss" in entry and "logps/chosen" in entry]
    if len(chosen) < 2 * AVERAGED_ENTRIES:
        return ""
    first, last = fmean(chosen[:AVERAGED_ENTRIES]), fmean(chosen[-AVERAGED_ENTRIES:])
    if first - last <= max(MAX_LOG_PROB_FALL_NATS, MAX_LOG_PROB_FALL_SHARE * abs(first)):
        return ""
    return (
        f"chosen log-probs fell from {first:.1f} to {last:.1f}: the student unlearns what it should prefer; "
        "give sft more of train.loss_weights, lower train.learning_rate, or raise train.beta"
    )


def preference_advice(params: TrainParams) -> str:
    """What to change if preference training fails."""
    return f"lower train.learning_rate (now {params.learning_rate:g}) or train.max_grad_norm, or raise train.beta"


def warm_up_advice(params: TrainParams) -> str:
    """What to change if the warm-up fails."""
    return f"lower train.sft.learning_rate (now {params.sft.learning_rate:g}) or train.max_grad_norm"


def guard_rail_callback(advice: str) -> Any:
    """A callback that checks every log entry, in every process: it stops the training, or warns (once).

    Args:
        advice: what to change if the training fails.

    Raises:
        CallwrightError: raised by the callback, with the reason and the advice.
    """
    from transformers import TrainerCallback

    class GuardRails(TrainerCallback):
        def __init__(self) -> None:
            self.warned = False

        def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            reason = stop_reason(state.log_history, advice)
            if reason:
                raise CallwrightError(reason)
            message = "" if self.warned else log_prob_warning(state.log_history)
            if message and state.is_world_process_zero:
                _logger.warning("%s", message)
                self.warned = True

    return GuardRails()
