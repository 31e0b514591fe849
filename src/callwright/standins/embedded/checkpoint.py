"""The state of the embedded student's training on disk: its checkpoint, and its curve."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

CHECKPOINT, CURVE = "checkpoint.pt", "curve.csv"


@dataclass(slots=True)
class Progress:
    """Where a training is.

    Attributes:
        seconds: of training, over all runs.
        difficulty: of the views.
        names_right: running mean of the share of first tokens of new names that are right.
        loss: mean over the tokens of the last CURVE_STEPS steps, by their weights.
    """

    step: int = 0
    seconds: float = 0.0
    difficulty: float = 0.0
    names_right: float = 0.0
    loss: float = 0.0


def write_curve(folder: Path, progress: Progress, totals: Tensor) -> None:
    """Add a line to the curve."""
    path = folder / CURVE
    fields = {**asdict(progress), "tokens": int(totals[4])}
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, fields)
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow({key: round(value, 4) for key, value in fields.items()})


def save_checkpoint(folder: Path, model: Any, optimizers: Sequence[torch.optim.Optimizer], progress: Progress) -> None:
    """Replace the checkpoint; a process that is stopped meanwhile leaves the old one."""
    state = {
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "progress": asdict(progress),
    }
    temporary = folder / f"{CHECKPOINT}.part"
    torch.save(state, temporary)
    temporary.replace(folder / CHECKPOINT)


def load_checkpoint(folder: Path, model: Any, optimizers: Sequence[torch.optim.Optimizer]) -> Progress:
    """Load the checkpoint, if there is one; returns where the training is."""
    path = folder / CHECKPOINT
    if not path.is_file():
        return Progress()
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    for optimizer, optimizer_state in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(optimizer_state)
    return Progress(**state["progress"])
