"""Training the embedded student: the number of processes does not change the result."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.multiprocessing.spawn import start_processes

from callwright.errors import CallwrightError, DataError
from callwright.standins.embedded import processes
from callwright.standins.embedded.build import build_embedded_student
from callwright.standins.embedded.checkpoint import CURVE
from callwright.standins.embedded.fit import Length
from callwright.tasks import TASKS
from tests.standins.embedded.small_recipe import SMALL


def read_weights(folder: Path) -> torch.Tensor:
    """All weights of a model, flattened, in the order of their names."""
    return torch.cat([weight.flatten() for _, weight in sorted(load_file(folder / "model.safetensors").items())])


def train_and_read_weights(folder: Path, threads: int, steps: int) -> torch.Tensor:
    torch.set_num_threads(threads)
    build_embedded_student(folder, SMALL, TASKS, 3, Length(steps=steps))
    assert torch.get_num_threads() == threads
    return read_weights(folder)


@pytest.mark.slow
def test_two_processes_give_the_same_weights_as_one(tmp_path: Path, restored_threads: None):
    """Up to rounding, which is large in bfloat16; a missing share of a step would make a larger difference."""
    single = train_and_read_weights(tmp_path / "single", 1, steps=4)
    double = train_and_read_weights(tmp_path / "double", 2, steps=4)
    shorter = train_and_read_weights(tmp_path / "shorter", 1, steps=3)
    assert (single - double).norm() < 0.1 * (single - shorter).norm()


def test_training_continues_from_a_checkpoint(tmp_path: Path, restored_threads: None):
    torch.set_num_threads(1)
    folder = tmp_path / "student"
    first, second = (build_embedded_student(folder, SMALL, TASKS, 3, Length(steps=steps)) for steps in (2, 5))
    assert [first["trained"]["step"], second["trained"]["step"]] == [2, 5]
    assert first["weights_sha256"] != second["weights_sha256"]
    changed = SMALL.model_copy(update={"learning_rate": 0.01})
    with pytest.raises(DataError, match="has a checkpoint of another recipe or seed"):
        build_embedded_student(folder, changed, TASKS, 3, Length(steps=6))


@pytest.mark.slow
def test_a_killed_process_gives_a_one_line_error(
    tmp_path: Path, restored_threads: None, monkeypatch: pytest.MonkeyPatch
):
    torch.set_num_threads(2)
    started: list[Any] = []

    def record_and_start(*args: Any, **options: Any) -> Any:
        started.append(start_processes(*args, **options))
        return started[-1]

    def kill_the_second_process_when_it_trains() -> None:
        while not (tmp_path / "student" / CURVE).exists():
            time.sleep(0.05)
        started[0].processes[0].kill()

    monkeypatch.setattr(processes, "start_processes", record_and_start)
    threading.Thread(target=kill_the_second_process_when_it_trains, daemon=True).start()
    with pytest.raises(CallwrightError, match=r"^embedded student: one of its processes was ended by SIGKILL"):
        build_embedded_student(tmp_path / "student", SMALL, TASKS, 3, Length(minutes=3))
