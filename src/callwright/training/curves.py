"""What a training logs, under our names."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

NAMES = {
    "loss": "loss",
    "rewards/margins": "margin",
    "rewards/accuracies": "preferred",
    "logps/chosen": "chosen_log_probs",
    "logps/rejected": "rejected_log_probs",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
}
Log = Callable[[dict[str, float], int], None]


def named(logs: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of one of the trainer's log entries that we keep; those on the pairs to watch begin with dev_.

    >>> named({"eval_loss": 0.5, "eval_runtime": 2.0})
    {'dev_loss': 0.5}
    """
    theirs, ours = ("eval_", "dev_") if any(name.startswith("eval_") for name in logs) else ("", "")
    return {f"{ours}{name}": float(logs[theirs + their]) for their, name in NAMES.items() if theirs + their in logs}


def training_rows(history: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """A row per logged step of the training itself: its step and numbers; also of the part before a kill."""
    return [{"step": entry["step"], **named(entry)} for entry in history if "loss" in entry]


def last_dev(history: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The last numbers on the pairs to watch; nothing where none were watched."""
    return next((named(entry) for entry in reversed(history) if "eval_loss" in entry), {})


def reporter(log: Log) -> Any:
    """A callback that hands every row to `log` on rank 0, with tokens per second: of the rows, before sharing."""
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):
        def __init__(self) -> None:
            self.seen: tuple[float, float] | None = None

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            logs = logs or {}
            row = named(logs)
            if not row or not state.is_world_process_zero:
                return
            if "loss" in logs and "num_tokens" in logs:
                now = (time.perf_counter(), logs["num_tokens"])
                if self.seen:
                    row["tokens_per_second"] = (now[1] - self.seen[1]) / (now[0] - self.seen[0])
                self.seen = now
            log(row, state.global_step)

    return Reporter()
