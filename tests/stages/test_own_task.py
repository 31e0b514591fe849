"""A user's own task and 50 own problems, made with docs/own-functions.md and docs/own-problems.md only."""

import json
import random
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.documents import ROOT, blocks
from tests.stages.conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("own task")]
FUNCTIONS, PROBLEMS = "docs/own-functions.md", "docs/own-problems.md"


def commands(page: str) -> tuple[str, ...]:
    (match,) = [block for block in blocks() if block.page == page and block.value == "tests/stages/test_own_task.py"]
    return match.commands


def train_ride(draw: random.Random) -> dict[str, object]:
    """A problem that takes two calls of the page's function."""
    start = datetime(2026, 1, 1, draw.randrange(24), draw.randrange(60))
    first, second = draw.randrange(5, 120), draw.randrange(5, 120)
    times = [
        f"{time:%H:%M}" for time in (start, start + timedelta(minutes=first), start + timedelta(minutes=first + second))
    ]
    return {
        "task": "clock",
        "question": f"A train leaves at {times[0]}, rides {first} minutes, then {second} minutes. When does it arrive?",
        "answer": times[2],
        "solution": [f"later('{times[0]}', {first})", f"later('{times[1]}', {second})", f"answer('{times[2]}')"],
    }


def use_this_environment(project: Project) -> None:
    """Let `make` find this Python's packages in the project's .venv, where it would otherwise install them."""
    (project.folder / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.name != ".installed":
            (project.folder / ".venv" / path.name).symlink_to(path)
    (project.folder / ".venv/.installed").touch()


def test_two_new_files_and_three_parameters_are_enough(project: Project):
    module = re.search(r"^```python\n(.*?)^```$", (ROOT / FUNCTIONS).read_text(), re.MULTILINE | re.DOTALL)
    assert module
    (project.folder / "clock.py").write_text(module[1])
    draw = random.Random(3)
    lines = [json.dumps(train_ride(draw)) for _ in range(50)]
    (project.folder / "data/source/clock.jsonl").write_text("\n".join(lines) + "\n")
    project.set("functions: []", "functions: [clock]")
    project.set("source: synthetic", "source: jsonl")
    project.set("path: data/source", "path: data/source/clock.jsonl")
    use_this_environment(project)

    outputs = [project.run("bash", "-euo", "pipefail", "-c", command).stdout for command in commands(FUNCTIONS)]

    changed_files = project.run("git", "status", "--short", "--untracked-files=all").stdout.split("\n")
    assert sorted(line[3:] for line in changed_files if line) == [
        "clock.py",
        "data/source/clock.jsonl",
        "dvc.lock",
        "dvc.yaml",
        "models/registry.json",
        "params.yaml",
    ]
    assert "dvc.yaml: problems lacks clock.py: rewritten" in outputs[0]
    assert "run make deps" not in outputs[0]
    assert "problems: 35 train, 5 dev, 10 test; 0 left out" in outputs[0]  # 50 by shares of 0.7, 0.1 and 0.2
    assert "later(time, minutes, clock: '12h' or '24h' = '24h')" in outputs[1]
    accuracy = json.loads((project.folder / "reports/metrics.json").read_text())["accuracy"]
    assert accuracy["teacher"]["clock"]["n"] == 10
    assert accuracy["teacher"]["clock"]["value"] >= 0.5  # the oracle makes a mistake in about a third of its attempts
    assert "clock" in (project.folder / "reports/index.html").read_text()
    assert project.run("dvc", "status", "--quiet", check=False).returncode == 0
    with (project.folder / "clock.py").open("a") as module:
        module.write("# one more line\n")
    changed = json.loads(project.run("dvc", "status", "--json").stdout)
    assert set(changed) == {"problems", "rollout", "validate", "pairs", "train", "evaluate", "promote"}


def test_own_problems_of_a_shipped_task_need_one_file(project: Project):
    example = re.search(r"^```jsonl\n(.*?)^```$", (ROOT / PROBLEMS).read_text(), re.MULTILINE | re.DOTALL)
    assert example
    sums = [{"question": f"What is {number} plus 3?", "answer": number + 3} for number in range(50)]
    lines = [*example[1].splitlines(), *map(json.dumps, sums)]
    (project.folder / "data/source/mine.jsonl").write_text("\n".join(lines) + "\n")
    (command,) = commands(PROBLEMS)
    output = project.run("bash", "-euo", "pipefail", "-c", f"{command} problems").stdout  # that stage alone
    assert "; 0 left out" in output
    report = json.loads((project.folder / "reports/problems.json").read_text())
    assert report["read"] == 53  # three lines of the page and 50 sums
