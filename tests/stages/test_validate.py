"""Bad data in the validate stage: printed lines, a consistent quarantine, a failed stage."""

import json
from dataclasses import replace

import pytest

from callwright.records import Chain, Problem
from callwright.storage.jsonl import dumps, read_lines, write_lines
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from tests.fakes import chain
from tests.stages.conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("validate")]


@pytest.fixture
def with_chains(project: Project) -> tuple[Project, list[Problem]]:
    """Twenty train problems, each with a right chain (its solution) and a wrong one, all by the oracle."""
    problems = synthetic_problems({"train": 20, "dev": 5, "test": 5}, 0, 7)
    for split in ("train", "dev", "test"):
        lines = [dumps(problem) for problem in problems if problem.split == split]
        write_lines(project.folder / f"data/problems/{split}.jsonl", lines)
    train = [problem for problem in problems if problem.split == "train"]
    chains = [attempt for problem in train for attempt in (right(problem), wrong(problem))]
    write_lines(project.folder / "data/chains/teacher.jsonl", map(dumps, chains))
    write_lines(project.folder / "data/chains/student.jsonl", [])
    return project, train


def right(problem: Problem) -> Chain:
    replies = [
        f"{call.name}({', '.join(f'{k}={v!r}' for k, v in call.arguments.items())})" for call in problem.solution
    ]
    return chain(*replies, problem_id=problem.id, id=f"{problem.id}/right")


def wrong(problem: Problem) -> Chain:
    return chain("add(1000003, 1)", "answer(1000004)", problem_id=problem.id, id=f"{problem.id}/wrong")


def test_bad_lines_are_reported_and_quarantined_and_the_stage_succeeds(with_chains):
    project, train = with_chains
    project.set("max_quarantined_share: 0.05", "max_quarantined_share: 0.1")
    path = project.folder / "data/chains/teacher.jsonl"
    orphan = replace(wrong(train[0]), id="orphan", problem_id="nowhere")
    write_lines(path, [*(line for _, line in read_lines(path)), dumps(orphan), dumps(right(train[0]))[:-9]])
    output = project.run("python", "stages/validate.py").stdout
    assert "validate: 40 of 42 chains kept; correct: {'oracle': 0.5}" in output
    assert "validate: warning: lines: orphan: expected that a chain's problem exists; found 1 of 42 failed" in output
    assert "such as data/chains/teacher.jsonl:42" in output
    quarantine = [json.loads(line) for _, line in read_lines(project.folder / "data/validated/quarantine.jsonl")]
    assert [line["where"].rpartition(":")[2] for line in quarantine] == ["41", "42"]
    assert (project.folder / "reports/data_docs/chains/checks.html").is_file()


def test_a_leaked_test_problem_stops_the_stage_and_is_named(with_chains):
    project, train = with_chains
    path = project.folder / "data/problems/test.jsonl"
    leaked = replace(train[3], id="leaked", split="test")
    write_lines(path, [*(line for _, line in read_lines(path)), dumps(leaked)])
    done = project.run("python", "stages/validate.py", check=False)
    assert done.returncode == 1
    assert done.stdout.strip() == (
        "validate: problems: leak: expected that no problem of train or dev asks what a test problem asks; "
        f"found 1 of 31 failed, such as {train[3].id}"
    )


def test_the_same_data_gives_the_same_report_and_new_data_is_compared_with_it(with_chains):
    project, train = with_chains
    report = project.folder / "reports/quality.json"
    project.run("python", "stages/validate.py")
    first = report.read_bytes()
    project.run("python", "stages/validate.py")
    assert report.read_bytes() == first
    few_right = [*(wrong(problem) for problem in train), *map(right, train[:2])]
    write_lines(project.folder / "data/chains/teacher.jsonl", map(dumps, few_right))
    output = project.run("python", "stages/validate.py").stdout
    # from 1/2 correct to 2/22: 1/11 ln(2/11) + 10/11 ln(20/11) = 0.3885
    assert "validate: warning: drift: correct: expected that correct is distributed as" in output
    assert "found 0.3885" in output
