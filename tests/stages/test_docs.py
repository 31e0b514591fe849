"""The commands of README.md and docs/ that need a run, one after the other, where the pipeline has run."""

import pytest

from tests.documents import AFTER_A_RUN, blocks
from tests.stages.conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("docs")]
NO_ANSWER = "answer: none"  # of the tiny student; `callwright ask` then exits 1, as it says


@pytest.fixture(scope="module")
def committed(finished: Project) -> Project:
    finished.run("git", "add", "--all")
    finished.run("git", "commit", "--quiet", "--message", "a run")
    return finished


@pytest.mark.parametrize("block", [one for one in blocks() if one.mark == AFTER_A_RUN], ids=str)
def test_a_block_runs_after_a_run(committed: Project, block):
    for command in block.commands:
        done = committed.run("bash", "-euo", "pipefail", "-c", command, check=False)
        unanswered = command.startswith("callwright ask") and done.returncode == 1 and NO_ANSWER in done.stdout
        assert done.returncode == 0 or unanswered, f"{command}\n{done.stdout}"
