"""Checkpoints of a training: a killed one goes on from the last that was written whole."""

from pathlib import Path
from typing import Any

_WHOLE = "whole"  # an empty file, written after everything else of a checkpoint


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint in a trainer's folder."""
    whole = [path.parent for path in folder.glob(f"checkpoint-*/{_WHOLE}")]
    return max(whole, key=lambda path: int(path.name.partition("-")[2]), default=None)


def checkpointing(folder: Path, every: int) -> dict[str, Any]:
    """Arguments for a trainer that leaves a checkpoint every so many steps; its callbacks hold `marker()`."""
    return {"output_dir": str(folder), "save_strategy": "steps", "save_steps": every, "save_total_limit": 2}


def marker() -> Any:
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
                Path(args.output_dir, f"checkpoint-{state.global_step}", _WHOLE).touch()

    return Marker()
