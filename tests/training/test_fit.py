"""What the embedded student learns does not depend on how many processes learn it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from callwright.training.embedded import build_embedded
from tests.training.conftest import RECIPE


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def weights(folder: Path, processes: int, steps: int) -> torch.Tensor:
    torch.set_num_threads(processes)
    build_embedded(folder, RECIPE.model_copy(update={"steps": steps, "careless_steps": 1, "prompt_steps": 1}), seed=3)
    assert torch.get_num_threads() == processes
    return torch.cat([one.flatten() for _, one in sorted(load_file(folder / "model.safetensors").items())])


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path: Path, threads: None):
    """Rounding apart, which bfloat16 leaves large: a share of every batch unlearned would be more by far."""
    alone = weights(tmp_path / "alone", 1, steps=3)
    both = weights(tmp_path / "both", 2, steps=3)
    shorter = weights(tmp_path / "shorter", 1, steps=2)
    assert (alone - both).norm() < 0.1 * (alone - shorter).norm()
