"""A user's mistake gives one clear line, exit code 1, no traceback and no incomplete output."""

import gzip
import json
import shutil
from pathlib import Path

import pytest

from callwright.problems.source import DroppedRow
from callwright.records import SPLITS, Problem
from callwright.storage.jsonl import read, write
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from tests.stages.conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bad_input")]


def error_line(project: Project, stage: str, **environment: str) -> str:
    """The one line that a failing stage prints."""
    done = project.run("python", f"stages/{stage}.py", check=False, **environment)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 1, done.stdout
    return lines[0]


def with_problems(project: Project) -> Project:
    problems = synthetic_problems({"train": 5, "dev": 5, "test": 5}, 2, 7)
    for split in ("train", "dev", "test"):
        path = project.folder / f"data/problems/{split}.jsonl"
        write(path, [problem for problem in problems if problem.split == split])
    return project


def test_an_evaluation_without_problems_says_where_they_are_missing(project: Project):
    write(with_problems(project).folder / "data/problems/test.jsonl", [])
    assert error_line(project, "evaluate") == (
        "evaluate: data/problems/test.jsonl has no problem to evaluate on: run dvc repro problems"
    )


def test_an_unknown_parameter_names_the_nearest(project: Project):
    project.set("  max_steps:", "  max_stesp:")
    assert error_line(project, "problems") == (
        "problems: params.yaml: rollout.max_stesp is not a parameter (did you mean max_steps?)"
    )
    assert not (project.folder / "data/problems").exists()


def test_a_parameter_of_the_wrong_type_gives_the_expected_type(project: Project):
    project.set("beta: 0.3", "beta: strong")
    assert error_line(project, "train").startswith("train: params.yaml: train.beta: input should be a valid number")


def test_a_missing_problem_file_gives_the_download(project: Project):
    project.set("source: synthetic", "source: gsm8k")
    line = error_line(project, "problems")
    assert line.startswith("problems: data/source/train.jsonl: no such file or directory; download train.jsonl")


HOSTILE_ROWS = [  # each is dropped
    '{"question": "so \\ud83d", "answer": 1}',
    '{"question": "q", "answer": 1, "id": "a\\u001b[31mb"}',
    '{"question": "q", "answer": 5, "answer": 6}',
    '{"question": "q", "answer": NaN}',
    '{"question": "q", "answer": 5',
    '{"question": "how far?", "answer": "3 km"}',
    '{"question": "who?", "answer": "9", "task": "clock (24h)"}',
    '{"question": "follows?", "answer": "B", "task": "entailment"}',
    '{"question": "formula?", "answer": "all x. (", "task": "translation"}',
    '{"question": "2 + 3?", "answer": 5, "solution": ["plus(2, 3)", "answer(5)"]}',
    '{"question": "2 + 4?", "answer": 6, "solution": ["divide(2, 0)", "answer(6)"]}',
    '{"question": "2 + 5?", "answer": 7, "solution": ["add(a=2, c=5)", "answer(7)"]}',
    '{"question": "2 + 6?", "answer": 8, "solution": ["add(2, 2)", "answer(4)"]}',
    "[" * 50_000,
    "1" * 5_000_000,
]
ACCEPTED_ROWS = [
    '{"question": "What is 0.5 of it?", "answer": 123456789012345678.25, "weight": NaN}',
    '{"question": "What percent of 80 is 20?", "answer": "25%", '
    '"solution": ["divide(20, 80)", "multiply(0.25, 100)", "answer(25)"]}',
]


def use_problem_file(project: Project, *lines: str) -> Path:
    path = project.folder / "data/source/mine.jsonl"
    path.write_text("\n".join(lines) + "\n")
    project.set("source: synthetic", "source: jsonl")
    project.set("path: data/source", "path: data/source/mine.jsonl")
    return path


def test_every_hostile_row_is_dropped_and_the_counts_add_up(project: Project):
    good = [json.dumps({"question": f"What is {number} + 3?", "answer": number + 3}) for number in range(50)]
    use_problem_file(project, *good, *HOSTILE_ROWS, *ACCEPTED_ROWS)
    project.set("max_left_out: 0.05", "max_left_out: 0.5")
    printed = project.run("python", "stages/problems.py").stdout
    assert f"; {len(HOSTILE_ROWS)} left out" in printed
    report = json.loads((project.folder / "reports/problems.json").read_text())
    problems = [
        problem for split in SPLITS for problem in read(Problem, project.folder / f"data/problems/{split}.jsonl")
    ]
    assert report["read"] == len(good) + len(HOSTILE_ROWS) + len(ACCEPTED_ROWS)
    assert sum(report["left_out"].values()) == len(HOSTILE_ROWS)
    assert len(problems) == len(good) + len(ACCEPTED_ROWS)
    assert {"123456789012345678.25", "25%"} <= {problem.answer for problem in problems}
    listed = list(read(DroppedRow, project.folder / "reports/left_out.jsonl"))
    assert {row.where for row in listed} == {
        f"data/source/mine.jsonl:{number}" for number in range(len(good) + 1, len(good) + len(HOSTILE_ROWS) + 1)
    }
    assert printed.isascii()  # text of a row reaches a terminal only escaped
    assert "\x1b" not in printed


def test_too_many_bad_rows_are_named_counted_and_listed(project: Project):
    use_problem_file(project, '{"question": "2 + 3?", "answer": 5}', *HOSTILE_ROWS)
    assert error_line(project, "problems") == (
        "problems: data/source/mine.jsonl:2: question has half a character (a lone surrogate); 15 of 16 rows were left "
        "out, more than problems.max_left_out: 0.05 allows: fix them, or raise it (reports/left_out.jsonl lists them)"
    )
    assert len(list(read(DroppedRow, project.folder / "reports/left_out.jsonl"))) == len(HOSTILE_ROWS)
    assert not (project.folder / "data/problems").exists()


def test_a_compressed_file_is_named_as_such(project: Project):
    path = use_problem_file(project)
    path.write_bytes(gzip.compress(b'{"question": "q", "answer": 1}'))
    assert error_line(project, "problems") == "problems: data/source/mine.jsonl: this is a gzip file: unpack it first"


def test_a_malformed_line_is_named_by_file_and_number(project: Project):
    with_problems(project)
    path = project.folder / "data/problems/train.jsonl"
    path.write_text(path.read_text() + '{"id": "x", "task": \n')
    assert error_line(project, "rollout").startswith("rollout: data/problems/train.jsonl:6: ")


def test_an_unreachable_teacher_gives_advice(project: Project):
    with_problems(project)
    project.set("base_url: oracle", "base_url: http://127.0.0.1:9/v1")
    project.set("max_retries: 4", "max_retries: 0")
    line = error_line(project, "rollout", TEACHER_API_KEY="none")
    assert line == (
        "rollout: teacher at http://127.0.0.1:9/v1 cannot be reached: check teacher.base_url and that the server runs"
    )
    assert not (project.folder / "data/chains").exists()


def test_a_missing_key_names_its_variable(project: Project):
    with_problems(project)
    project.set("base_url: oracle", "base_url: http://127.0.0.1:9/v1")
    assert "set TEACHER_API_KEY" in error_line(project, "rollout")


def test_a_folder_that_cannot_be_written_is_named(project: Project):
    shutil.rmtree(project.folder / "models", ignore_errors=True)
    (project.folder / "models").write_text("a file where a folder should be")
    assert error_line(project, "base").startswith("base: models/base cannot be written: ")


def test_a_wrong_tracking_server_gives_one_line_without_the_password(project: Project):
    shutil.rmtree(project.folder / "models", ignore_errors=True)
    Path(project.folder / "models/base").mkdir(parents=True)
    Path(project.folder / "data/pairs").mkdir(parents=True)
    for name in ("train", "dev", "demonstrations"):
        (project.folder / f"data/pairs/{name}.jsonl").write_text("")
    line = error_line(project, "train", MLFLOW_TRACKING_URI="http://someone:sesame@127.0.0.1:9")
    assert "127.0.0.1:9 cannot be used" in line
    assert "sesame" not in line
