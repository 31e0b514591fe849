"""A copy of the project in its own folder, at tiny scale, with its own git repository, DVC cache and MLflow store."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from callwright.cli.preset import apply_preset
from tests.working_tree import copy_working_tree

TINY = Path(__file__).parent


@dataclass(frozen=True)
class Project:
    """The copy's folder, and how a person runs commands in it."""

    folder: Path

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stdout
        return done

    def environment(self, **more: str) -> dict[str, str]:
        # A user's Python writes bytecode into the folders that stages depend on, even if the tests' Python does not.
        unwanted = ("MLFLOW_", "TEACHER_", "PYTHONDONTWRITEBYTECODE")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
        path = f"{Path(sys.executable).parent}{os.pathsep}{inherited['PATH']}"
        return {**inherited, "PATH": path, "PYTHONPATH": str(self.folder / "src"), **more}

    def set(self, old: str, new: str) -> None:
        """Change params.yaml as a person would, in an editor."""
        path = self.folder / "params.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))


def copy_of_the_project(folder: Path) -> Project:
    copy_working_tree(folder, tests=False)
    apply_preset("tiny", folder / "params.yaml", TINY)
    project = Project(folder)
    project.run("git", "init", "--quiet")
    project.run("git", "config", "user.name", "test")
    project.run("git", "config", "user.email", "test@example.invalid")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "a copy")
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh copy."""
    return copy_of_the_project(tmp_path)


@pytest.fixture(scope="module")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy in which the pipeline has run; the tests of a module share it and run in order."""
    project = copy_of_the_project(tmp_path_factory.mktemp("finished"))
    project.run("dvc", "repro")
    return project
