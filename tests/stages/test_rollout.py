"""The rollout stage at its limits: one line, exit code 1, and every paid reply is kept."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callwright.cli.preset import apply_preset
from callwright.storage.jsonl import write
from tests.chat.conftest import Servers
from tests.fakes import problem
from tests.stages.conftest import Project
from tests.stages.test_bad_input import error_line, with_problems

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("rollout")]


def count_journaled(folder: Path) -> int:
    return len((folder / "teacher.jsonl").read_text().splitlines())


def test_a_used_up_budget_stops_the_stage_and_the_next_run_continues(project: Project):
    with_problems(project)  # 10 for training, two attempts each
    project.set("    requests:", "    requests: 20")
    journals = project.folder / ".callwright/journals"
    line = error_line(project, "rollout")
    assert line.startswith("rollout: teacher: the budget is used up (rollout.budget.requests: ")
    assert " of 20) with " in line
    assert " of 20 attempts done; they are kept in the journal: " in line
    first = count_journaled(journals)
    assert 0 < first < 20
    assert not (project.folder / "data/chains/teacher.jsonl").exists()
    error_line(project, "rollout")
    assert count_journaled(journals) > first


def test_a_cost_limit_without_prices_is_refused_before_the_first_request(project: Project):
    with_problems(project)
    project.set("    cost:", "    cost: 2.5")
    assert error_line(project, "rollout").startswith("rollout: params.yaml: rollout: budget.cost needs prices: ")
    assert not (project.folder / ".callwright/journals").exists()


def test_a_journal_that_cannot_be_written_is_reported_before_the_first_request(project: Project):
    with_problems(project)
    (project.folder / "file").write_text("")
    journals = str(project.folder / "file/journals")
    line = error_line(project, "rollout", CALLWRIGHT_JOURNALS=journals)
    assert line.startswith(f"rollout: journal {journals}/teacher.jsonl cannot be opened: ")


DEFECTIVE = """
from callwright.functions.function import function
from callwright.functions.toolbox import Toolbox
from callwright.tasks import TASKS as SHIPPED
from callwright.tasks.task import Task


@function(example={"text": "a", "times": 1})
def repeat(text: str, times: int) -> str:
    \"\"\"A text several times.\"\"\"
    return text if times == 1 else text + times


ARITHMETIC = SHIPPED["arithmetic"]
TASKS = (Task("repeats", Toolbox((repeat, ARITHMETIC.toolbox.functions["answer"])), "Repeat.", ARITHMETIC.grade),)
"""


@pytest.fixture
def serve() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    servers.stop_all()


async def repeats_twice(scope: Any, receive: Any, send: Any) -> None:
    """A teacher that calls `repeat` for the question `Twice?`."""
    messages = json.loads((await receive())["body"])["messages"]
    call = "repeat('a', 2)" if messages[1]["content"] == "Twice?" else "answer(5)"
    answer = {"choices": [{"message": {"content": call}, "finish_reason": "stop"}]}
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def test_a_defect_of_a_function_fails_one_attempt_and_is_logged_with_its_traceback(project: Project, serve: Servers):
    (project.folder / "defective.py").write_text(DEFECTIVE)
    (project.folder / "own.yaml").write_text(
        f"teacher: {{base_url: {serve(repeats_twice)}}}\nrollout: {{teacher: {{chains: 1}}, student: {{chains: 0}}}}\n"
    )
    apply_preset("own", project.folder / "params.yaml", project.folder)
    project.set("functions: []", "functions: [defective]")
    plain = [replace(problem(question=f"Is it {number}?"), id=str(number)) for number in range(9)]
    twice = replace(problem(question="Twice?"), id="twice", task="repeats")
    write(project.folder / "data/problems/train.jsonl", [*plain, twice])
    write(project.folder / "data/problems/dev.jsonl", [])
    reason = "unexpected TypeError in defective.py:"

    refused = project.run("python", "stages/rollout.py", check=False, TEACHER_API_KEY="any")
    assert refused.returncode == 1, refused.stdout
    assert f"rollout: 1 of 10 attempts failed (limit 2%); 1 times: {reason}" in refused.stdout
    project.set("max_failure_rate: 0.02", "max_failure_rate: 0.1")
    done = project.run("python", "stages/rollout.py", TEACHER_API_KEY="any")
    for output in (refused.stdout, done.stdout):
        assert f"rollout: 1 surprise, {reason}" in output
        assert ".callwright/surprises/rollout.log" in output
        assert "Traceback" not in output
    assert "rollout: teacher: 9 chains, 100.0% answered right" in done.stdout
    (failure,) = map(json.loads, (project.folder / "data/chains/failures.jsonl").read_text().splitlines())
    assert (failure["attempt_id"], failure["lasting"]) == ("twice/oracle/0", True)
    assert failure["message"].startswith(reason)
    log = (project.folder / ".callwright/surprises/rollout.log").read_text()
    assert "in repeat" in log
    assert "in a function that a model called: repeat(text='a', times=2)" in log
