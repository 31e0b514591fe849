"""The rollout stage at its limits: one line, exit code 1, and everything that was paid for is kept."""

from pathlib import Path

import pytest

from tests.stages.conftest import Project
from tests.stages.test_bad_input import complaint, with_problems

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("rollout")]


def journaled(folder: Path) -> int:
    return len((folder / "teacher.jsonl").read_text().splitlines())


def test_a_used_up_budget_stops_the_stage_and_the_next_run_goes_on(project: Project):
    with_problems(project)  # 10 for training, two attempts each
    project.set("    requests:", "    requests: 20")
    journals = project.folder / ".callwright/journals"
    line = complaint(project, "rollout")
    assert line.startswith("rollout: teacher: the budget is used up (rollout.budget.requests: ")
    assert " of 20) with " in line
    assert " of 20 attempts done; they are kept in the journal: " in line
    first = journaled(journals)
    assert 0 < first < 20
    assert not (project.folder / "data/chains/teacher.jsonl").exists()
    complaint(project, "rollout")
    assert journaled(journals) > first


def test_a_cost_limit_without_prices_is_refused_before_anything_is_asked(project: Project):
    with_problems(project)
    project.set("    cost:", "    cost: 2.5")
    assert complaint(project, "rollout").startswith("rollout: params.yaml: rollout: budget.cost needs prices: ")
    assert not (project.folder / ".callwright/journals").exists()


def test_a_journal_that_cannot_be_written_is_said_before_anything_is_asked(project: Project):
    with_problems(project)
    (project.folder / "file").write_text("")
    journals = str(project.folder / "file/journals")
    line = complaint(project, "rollout", CALLWRIGHT_JOURNALS=journals)
    assert line.startswith(f"rollout: journal {journals}/teacher.jsonl cannot be opened: ")
