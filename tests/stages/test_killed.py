"""SIGKILL in every stage that takes seconds; the next run continues and completes.

`problems`, `base` and `pairs` end within a second or two, so a kill after some seconds would hit the next stage.
"""

import json
import os
import signal
import subprocess
import time

import pytest

from tests.stages.conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("killed")]
INTO_THE_STAGE_S = 4.0  # the script is running, and not done yet


def kill_in(project: Project, stage: str) -> None:
    """Run the pipeline, and kill it with all its children some seconds after the start of a stage."""
    with subprocess.Popen(
        ["dvc", "repro"],
        cwd=project.folder,
        env=project.environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if f"Running stage '{stage}'" in line:
                break
        time.sleep(INTO_THE_STAGE_S)
        os.killpg(run.pid, signal.SIGKILL)


def test_a_run_killed_in_stage_after_stage_completes(project: Project):
    for stage in ("rollout", "validate", "train", "evaluate", "promote"):
        kill_in(project, stage)
    project.run("dvc", "repro")
    assert json.loads((project.folder / "models/registry.json").read_text())["decision"] == "promoted"
