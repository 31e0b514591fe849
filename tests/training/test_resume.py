"""A killed training resumes from its last checkpoint and ends with the same weights."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from callwright.reports.train import TrainReport
from callwright.tasks import TASKS
from callwright.tasks.tasks import Tasks
from callwright.training.dpo import train, training_key
from tests.training.examples import (
    DEMONSTRATIONS,
    EXAMPLES,
    NEW_NAMES,
    PARAMS_WITH_WARM_UP,
    REWORDED,
    reworded_tasks,
)
from tests.working_tree import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("training")]
PARAMS = PARAMS_WITH_WARM_UP.model_copy(update={"epochs": 4})  # 24 steps of warm-up, 32 of pairs; a checkpoint every 5
WITH_DEMONSTRATIONS = replace(EXAMPLES, demonstrations=DEMONSTRATIONS)
RUN = """
import sys
from pathlib import Path
from tests.training.test_resume import run
run(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def run(base: Path, folder: Path) -> list[int]:
    """Train; returns the steps that this run logged."""
    logged: list[int] = []
    train(
        base,
        WITH_DEMONSTRATIONS,
        PARAMS,
        TASKS,
        NEW_NAMES,
        seed=7,
        student=folder / "student",
        adapter=folder / "adapter",
        work=folder / "work",
        log=lambda metrics, step: logged.append(step),
    )
    return logged


def train_until_killed(base: Path, folder: Path, checkpoint: str) -> None:
    """Train in another process, and kill it when the checkpoint is complete."""
    path = f"{ROOT / 'src'}{os.pathsep}{ROOT}"
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(base), str(folder)],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        while process.poll() is None:
            if list(folder.glob(f"work/*/{checkpoint}/whole")):
                os.killpg(process.pid, signal.SIGKILL)
                break
            time.sleep(0.002)
    assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"


@pytest.mark.parametrize("checkpoint", ["warm_up/checkpoint-10", "pairs/checkpoint-10"])
def test_a_killed_training_resumes_and_ends_with_the_same_weights(tiny_base: Path, tmp_path: Path, checkpoint: str):
    uninterrupted, killed = tmp_path / "uninterrupted", tmp_path / "killed"
    assert run(tiny_base, uninterrupted)[0] == 1
    train_until_killed(tiny_base, killed, checkpoint)
    assert not (killed / "student").exists()
    steps = run(tiny_base, killed)
    assert steps[0] == (1 if checkpoint.startswith("warm_up") else 15), (
        "logged every 5 steps, after the checkpoint at 10"
    )
    for name in ("student/model.safetensors", "adapter/adapter_model.safetensors"):
        expected, resumed = load_file(uninterrupted / name), load_file(killed / name)
        assert expected.keys() == resumed.keys()
        assert all(torch.allclose(resumed[key], weight, rtol=0, atol=1e-6) for key, weight in expected.items())
    assert list((killed / "work").iterdir()) == [], "a finished training leaves no checkpoint"


def test_a_training_killed_after_its_last_step_repeats_the_dev_evaluation_without_an_extra_step(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    short = PARAMS.model_copy(update={"epochs": 1.25, "sft": PARAMS.sft.model_copy(update={"epochs": 0})})  # 10 steps

    def train_in(name: str) -> TrainReport:
        folders = {part: tmp_path / name / part for part in ("student", "adapter", "work")}
        return train(tiny_base, EXAMPLES, short, TASKS, NEW_NAMES, seed=7, **folders).report

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    uninterrupted = train_in("uninterrupted")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("callwright.training.weights.publish_student", interrupt)
        train_in("killed")
    killed = train_in("killed")
    assert (killed.steps, killed.dev_loss) == (10, uninterrupted.dev_loss)
    expected, resumed = (
        load_file(tmp_path / name / "student/model.safetensors") for name in ("uninterrupted", "killed")
    )
    assert all(torch.allclose(resumed[key], weight, rtol=0, atol=1e-6) for key, weight in expected.items())


def test_a_killed_training_starts_anew_if_a_description_that_its_batches_show_has_changed(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Descriptions are in the prompts of the batches, and not in the pairs."""
    short = PARAMS.model_copy(update={"epochs": 2, "sft": PARAMS.sft.model_copy(update={"epochs": 0})})  # 16 steps
    folders = {part: tmp_path / part for part in ("student", "adapter", "work")}

    def logged_steps(tasks: Tasks) -> list[int]:
        steps: list[int] = []
        log = lambda metrics, step: steps.append(step)  # noqa: E731
        train(tiny_base, EXAMPLES, short, tasks, REWORDED, seed=7, **folders, log=log)
        return steps

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("callwright.training.weights.publish_student", interrupt)
        logged_steps(reworded_tasks("A sum."))
    assert logged_steps(reworded_tasks("Another sum."))[0] == 1
    assert logged_steps(reworded_tasks("A sum."))[0] == 16, "after the checkpoint at 15"


def test_checkpoints_of_another_training_are_ignored_and_kept(tiny_base: Path, tmp_path: Path):
    key = training_key(tiny_base, EXAMPLES, PARAMS, TASKS, NEW_NAMES, 8)
    other = tmp_path / "work" / key[:16] / "pairs" / "checkpoint-30"
    other.mkdir(parents=True)
    (other / "whole").touch()  # an empty checkpoint: resuming from it would fail

    assert run(tiny_base, tmp_path)[0] == 1
    assert other.is_dir()
