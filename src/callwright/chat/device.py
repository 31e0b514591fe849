"""Where a model in this process runs, and how exactly it computes there."""

import torch


def pick_device() -> torch.device:
    """The accelerator if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pick_dtype(device: torch.device) -> torch.dtype:
    """Of the weights."""
    return torch.bfloat16 if device.type == "cuda" else torch.float32
