"""Training the embedded student: the number of processes does not change the result."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from callwright.errors import CallwrightError
from callwright.standins.embedded.build import build_embedded_student, token_weights
from callwright.standins.embedded.recipe import BuildRecipe
from callwright.tasks import TASKS

RECIPE = BuildRecipe(
    hidden=32,
    layers=2,
    heads=2,
    vocabulary=420,
    demonstrations=120,
    tasks={"arithmetic": 0.5, "translation": 0.25, "entailment": 0.25},
    careless_share=0.5,
    steps=12,
    careless_steps=6,
    prompt_steps=3,
    batch_size=12,
    learning_rate=0.02,
    question_weight=0.1,
    copy_weight=4.0,
)
TRAINING_CPU_S = 20.0  # processor time after which a process has imported all libraries and trains


@pytest.fixture
def restored_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def read_weights(folder: Path) -> torch.Tensor:
    """All weights of a model, flattened, in the order of their names."""
    return torch.cat([weight.flatten() for _, weight in sorted(load_file(folder / "model.safetensors").items())])


def train_and_read_weights(folder: Path, processes: int, steps: int) -> torch.Tensor:
    torch.set_num_threads(processes)
    build_embedded_student(
        folder, RECIPE.model_copy(update={"steps": steps, "careless_steps": 1, "prompt_steps": 1}), TASKS, seed=3
    )
    assert torch.get_num_threads() == processes
    return read_weights(folder)


@pytest.mark.slow
def test_two_processes_give_the_same_weights_as_one(tmp_path: Path, restored_threads: None):
    """Up to rounding, which is large in bfloat16; a missing share of a batch would make a larger difference."""
    single = train_and_read_weights(tmp_path / "single", 1, steps=3)
    double = train_and_read_weights(tmp_path / "double", 2, steps=3)
    shorter = train_and_read_weights(tmp_path / "shorter", 1, steps=2)
    assert (single - double).norm() < 0.1 * (single - shorter).norm()


def test_fewer_lessons_than_a_batch_are_enough(tmp_path: Path, restored_threads: None):
    torch.set_num_threads(1)
    few = RECIPE.model_copy(update={"demonstrations": 6, "careless_steps": 1, "prompt_steps": 0})
    first, last = (
        build_embedded_student(tmp_path / str(steps), few.model_copy(update={"steps": steps}), TASKS, seed=3)
        for steps in (1, 20)
    )
    assert last["steps"] == 20
    # Both losses are means over the steps so far: the loss falls.
    assert 0 < last["loss"] < 0.9 * first["loss"]
    assert not torch.equal(read_weights(tmp_path / "1"), read_weights(tmp_path / "20"))


@pytest.mark.slow
def test_a_killed_process_gives_a_one_line_error(tmp_path: Path, restored_threads: None):
    torch.set_num_threads(2)

    def trainers() -> list[psutil.Process]:
        return [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]

    def kill_the_second_process() -> None:
        while not (processes := trainers()):
            time.sleep(0.05)
        (process,) = processes
        while process.cpu_times().user < TRAINING_CPU_S:
            time.sleep(0.05)
        process.kill()

    killer = threading.Thread(target=kill_the_second_process)
    killer.start()
    long = RECIPE.model_copy(update={"steps": 100_000, "careless_steps": 1})
    with pytest.raises(CallwrightError, match=r"^base: one of its processes was ended by SIGKILL \(out of memory\?\)"):
        build_embedded_student(tmp_path / "base", long, TASKS, seed=3)
    killer.join()


def test_a_copied_number_weighs_more_and_the_question_weighs_less():
    number, bracket, new_number = range(3)
    ids = (number, bracket, number, bracket, new_number)
    assistant_mask = (False, False, True, True, True)
    assert token_weights(ids, assistant_mask, {number, new_number}, RECIPE) == (0.1, 0.1, 4.0, 1.0, 1.0)
