"""Several sources in one run of the stage `problems`, as a person sets them."""

import json
from collections import Counter

import pytest

from callwright.records import Problem
from callwright.reports.problems import ProblemsReport
from callwright.storage.jsonl import read
from tests.stages.conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mix")]


def write_rows(project: Project, train: int) -> None:
    """Rows of a user: `train` of train and four of test."""
    splits = ["train"] * train + ["test"] * 4
    rows = [
        {"question": f"{5_000 + number} plus 1 is?", "answer": 5_001 + number, "split": split}
        for number, split in enumerate(splits)
    ]
    (project.folder / "data/source/problems.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def sources_of_train(project: Project) -> Counter[str]:
    return Counter(problem.source for problem in read(Problem, project.folder / "data/problems/train.jsonl"))


def test_a_file_of_a_mix_is_a_dependency_and_each_source_has_its_share(project: Project):
    project.set("  mix:", "  mix: {synthetic: 0.75, jsonl: 0.25}")
    write_rows(project, train=25)
    printed = project.run("dvc", "repro", "problems").stdout
    assert "  jsonl: 20 train, 4 test; 5 train unused beyond its share; none in dev" in printed
    assert sources_of_train(project) == {"synthetic": 60, "jsonl": 20}  # 60 / 0.75 is 80
    report = ProblemsReport.load(project.folder / "reports/problems.json")
    assert (report.sources["jsonl"].rows_read, report.sources["synthetic"].unused) == (29, 0)
    assert "Running stage" not in project.run("dvc", "repro", "problems").stdout
    write_rows(project, train=10)
    assert "Running stage 'problems'" in project.run("dvc", "repro", "problems").stdout
    assert sources_of_train(project) == {"synthetic": 30, "jsonl": 10}  # 10 / 0.25 is 40


def test_a_bad_mix_ends_the_first_stage_with_one_line(project: Project):
    project.set("  mix:", "  mix: {synthetic: 0.75, gsm: 0.25}")
    done = project.run("dvc", "repro", "problems", check=False)
    assert done.returncode != 0
    assert "problems: params.yaml: problems.mix: gsm is not a source (did you mean gsm8k?)\n" in done.stdout
    assert "Traceback" not in done.stdout
