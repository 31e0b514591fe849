"""A stand-in for a GitHub runner: runs the `run:` steps of a job in order, each in a new shell, on a clean clone."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copy2
from typing import Any

from ruamel.yaml import YAML

from tests.working_tree import ROOT, copy_working_tree

WORKFLOWS = ROOT / ".github/workflows"
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def workflow(name: str) -> dict[str, Any]:
    """A workflow as GitHub reads it (YAML 1.2: `on` is not a boolean)."""
    return YAML(typ="safe").load((WORKFLOWS / f"{name}.yml").read_text())


def origin(folder: Path) -> Path:
    """The working tree, including uncommitted changes, as a repository with one commit on main."""
    copy_working_tree(folder)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "the working tree")
    return folder


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.invalid", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path, message: str) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


@dataclass
class Runner:
    """One runner's machine.

    Attributes:
        folder: contains the clone, the runner's temporary files and a home folder.
        expressions: GitHub's value of each `${{ }}` outside of scripts; a missing expression is an error.
        bin: folder with commands that take precedence over the system's, such as a stand-in for docker.
        variables: further environment variables of the machine.
        ran: names of the steps of the last job that were run.
        log: scripts and output of all steps.
    """

    folder: Path
    repository: Path
    expressions: Mapping[str, str]
    bin: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    log: str = ""

    @property
    def clone(self) -> Path:
        return self.folder / "callwright"

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text()

    def check_out(self) -> None:
        """Do what actions/checkout does: clone all branches and check out main."""
        git(self.folder, "clone", "--quiet", str(self.repository), str(self.clone))

    def run(self, name: str, job: str, only: str | None = None) -> bool:
        """Run a job's scripts as GitHub does, or only one step; returns whether the job succeeds."""
        definition = workflow(name)
        job_definition = definition["jobs"][job]
        files = {file: self.folder / file for file in ("env", "path", "summary")}
        for file in files.values():
            file.write_text("")
        (self.folder / "home").mkdir(exist_ok=True)
        shared = self._values([definition.get("env", {}), job_definition.get("env", {})])
        self.ran, failed = [], False
        for step in job_definition["steps"]:
            if "run" not in step or only not in (None, step["name"]) or not self._runs_step(step, failed):
                continue
            self.ran.append(step["name"])
            failed |= not self._script(step["run"], shared | self._values([step.get("env", {})]), files)
        return not failed

    def _runs_step(self, step: Mapping[str, Any], failed: bool) -> bool:
        """Evaluate a step's `if:`. `always()` and `!cancelled()` run after a failure; other conditions need success."""
        condition = EXPRESSION.fullmatch(str(step.get("if", "${{ success() }}")))
        assert condition
        return {"always()": True, "!cancelled()": True, "success()": not failed}.get(
            condition[1], not failed and self.expressions.get(condition[1]) == "true"
        )

    def _values(self, tables: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        return {
            key: EXPRESSION.sub(lambda match: self.expressions[match[1]], str(value))
            for table in tables
            for key, value in table.items()
        }

    def _script(self, script: str, environment: Mapping[str, str], files: Mapping[str, Path]) -> bool:
        path = self.folder / "script.sh"
        path.write_text(script)
        path_entries = files["path"].read_text().split()
        command_folders = [str(self.bin)] if self.bin else []
        step_variables = dict(line.split("=", 1) for line in files["env"].read_text().splitlines())
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(path)],
            cwd=self.clone,
            env={
                "PATH": os.pathsep.join(
                    [*command_folders, *reversed(path_entries), "/usr/local/bin", "/usr/bin", "/bin"]
                ),
                "HOME": str(self.folder / "home"),
                "RUNNER_TEMP": str(self.folder),
                "GITHUB_WORKSPACE": str(self.clone),
                "GITHUB_RUN_ID": "17",
                "GITHUB_ENV": str(files["env"]),
                "GITHUB_PATH": str(files["path"]),
                "GITHUB_STEP_SUMMARY": str(files["summary"]),
                **self.variables,
                **step_variables,
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.log += f"$ {script}\n{done.stdout}\n"
        return done.returncode == 0


def lend_environment(clone: Path) -> None:
    """Link this Python environment as the clone's .venv, as if `make` had installed it there."""
    venv = clone / ".venv"
    venv.mkdir()
    copy2(Path(sys.prefix, "pyvenv.cfg"), venv)
    for name in ("bin", "lib"):
        (venv / name).symlink_to(Path(sys.prefix, name))
    (venv / ".installed").touch()
