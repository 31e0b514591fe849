"""The commands of README.md and docs/ that need a finished pipeline, in order."""

import pytest

from tests.documents import AFTER_A_RUN, blocks
from tests.stages.conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("docs")]
NO_ANSWER = "answer: none"  # the tiny student may not answer; then `callwright ask` exits with 1


@pytest.fixture(scope="module")
def committed(finished_project: Project) -> Project:
    finished_project.run("git", "add", "--all")
    finished_project.run("git", "commit", "--quiet", "--message", "a run")
    return finished_project


@pytest.mark.parametrize("block", [block for block in blocks() if block.mark == AFTER_A_RUN], ids=str)
def test_a_block_runs_after_a_run(committed: Project, block):
    for command in block.commands:
        done = committed.run("bash", "-euo", "pipefail", "-c", command, check=False)
        unanswered = command.startswith("callwright ask") and done.returncode == 1 and NO_ANSWER in done.stdout
        assert done.returncode == 0 or unanswered, f"{command}\n{done.stdout}"
