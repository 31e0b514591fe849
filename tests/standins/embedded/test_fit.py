"""What the embedded student learns does not depend on how many processes learn it."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from callwright.errors import CallwrightError
from callwright.standins.embedded.build import build_embedded_student
from tests.training.conftest import RECIPE

LEARNING_CPU_S = 20.0  # by then it has imported all it needs, and learns


@pytest.fixture
def restored_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def train_and_read_weights(folder: Path, processes: int, steps: int) -> torch.Tensor:
    torch.set_num_threads(processes)
    build_embedded_student(
        folder, RECIPE.model_copy(update={"steps": steps, "careless_steps": 1, "prompt_steps": 1}), seed=3
    )
    assert torch.get_num_threads() == processes
    return torch.cat([one.flatten() for _, one in sorted(load_file(folder / "model.safetensors").items())])


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path: Path, restored_threads: None):
    """Rounding apart, which bfloat16 leaves large: a share of every batch unlearned would be more by far."""
    alone = train_and_read_weights(tmp_path / "alone", 1, steps=3)
    both = train_and_read_weights(tmp_path / "both", 2, steps=3)
    shorter = train_and_read_weights(tmp_path / "shorter", 1, steps=2)
    assert (alone - both).norm() < 0.1 * (alone - shorter).norm()


def test_fewer_demonstrations_than_a_batch_has_rows_are_enough(tmp_path: Path, restored_threads: None):
    torch.set_num_threads(1)
    few = RECIPE.model_copy(update={"demonstrations": 6, "steps": 2, "careless_steps": 1, "prompt_steps": 0})
    build_embedded_student(tmp_path / "base", few, seed=3)
    assert (tmp_path / "base" / "model.safetensors").is_file()


@pytest.mark.slow
def test_a_process_that_is_killed_is_one_line(tmp_path: Path, restored_threads: None):
    torch.set_num_threads(2)

    def kill_the_other() -> None:
        while not (others := [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())]):
            time.sleep(0.05)
        (other,) = others
        while other.cpu_times().user < LEARNING_CPU_S:
            time.sleep(0.05)
        other.kill()

    killer = threading.Thread(target=kill_the_other)
    killer.start()
    long = RECIPE.model_copy(update={"steps": 100_000, "careless_steps": 1})
    with pytest.raises(CallwrightError, match=r"^base: a process of it was ended by SIGKILL \(out of memory\?\)"):
        build_embedded_student(tmp_path / "base", long, seed=3)
    killer.join()
