"""A user's mistake is one clear line, exit code 1, no traceback, and nothing half-written."""

import shutil
from pathlib import Path

import pytest

from callwright.problems.synthetic import synthetic_problems
from callwright.storage import write
from tests.stages.conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bad_input")]


def complaint(project: Project, stage: str, **environment: str) -> str:
    """The one line that a failing stage prints."""
    done = project.run("python", f"stages/{stage}.py", check=False, **environment)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 1, done.stdout
    return lines[0]


def with_problems(project: Project) -> Project:
    problems = synthetic_problems({"train": 5, "dev": 5, "test": 5}, 2, 7).problems
    for split in ("train", "dev", "test"):
        path = project.folder / f"data/problems/{split}.jsonl"
        write(path, [problem for problem in problems if problem.split == split])
    return project


def test_an_unknown_parameter_names_the_nearest(project: Project):
    project.set("  max_steps:", "  max_stesp:")
    assert complaint(project, "problems") == (
        "problems: params.yaml: rollout.max_stesp is not a parameter (did you mean max_steps?)"
    )
    assert not (project.folder / "data/problems").exists()


def test_a_mistyped_parameter_says_what_it_should_be(project: Project):
    project.set("beta: 0.3", "beta: strong")
    assert complaint(project, "train").startswith("train: params.yaml: train.beta: input should be a valid number")


def test_a_missing_problem_file_says_where_to_get_it(project: Project):
    project.set("source: synthetic", "source: gsm8k")
    line = complaint(project, "problems")
    assert line.startswith("problems: data/source/train.jsonl: no such file or directory; download train.jsonl")


def test_a_malformed_line_is_named_by_file_and_number(project: Project):
    with_problems(project)
    path = project.folder / "data/problems/train.jsonl"
    path.write_text(path.read_text() + '{"id": "x", "task": \n')
    assert complaint(project, "rollout").startswith("rollout: data/problems/train.jsonl:6: ")


def test_an_unreachable_teacher_says_what_to_check(project: Project):
    with_problems(project)
    project.set("base_url: oracle", "base_url: http://127.0.0.1:9/v1")
    project.set("max_retries: 4", "max_retries: 0")
    line = complaint(project, "rollout", TEACHER_API_KEY="none")
    assert line == (
        "rollout: teacher at http://127.0.0.1:9/v1 cannot be reached: check teacher.base_url and that the server runs"
    )
    assert not (project.folder / "data/chains").exists()


def test_a_missing_key_names_its_variable(project: Project):
    with_problems(project)
    project.set("base_url: oracle", "base_url: http://127.0.0.1:9/v1")
    assert "set TEACHER_API_KEY" in complaint(project, "rollout")


def test_a_folder_that_cannot_be_written_is_named(project: Project):
    shutil.rmtree(project.folder / "models", ignore_errors=True)
    (project.folder / "models").write_text("a file where a folder should be")
    assert complaint(project, "base").startswith("base: models/base cannot be written: ")


def test_a_wrong_tracking_server_is_one_line_without_the_password(project: Project):
    shutil.rmtree(project.folder / "models", ignore_errors=True)
    Path(project.folder / "data/pairs").mkdir(parents=True)
    for name in ("train", "dev", "demonstrations"):
        (project.folder / f"data/pairs/{name}.jsonl").write_text("")
    line = complaint(project, "train", MLFLOW_TRACKING_URI="http://someone:sesame@127.0.0.1:9")
    assert "127.0.0.1:9 cannot be used" in line
    assert "sesame" not in line
