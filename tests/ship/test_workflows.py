"""The workflows are valid and pinned, have least privilege, and put no untrusted text into a shell."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ship.runner import EXPRESSION, WORKFLOWS, workflow
from tests.working_tree import ROOT

NAMES = ("audit", "ci", "gpu")
SCRIPTS = [*sorted((ROOT / ".github/scripts").glob("*.sh")), ROOT / "tests/pages/install.sh", ROOT / ".ci/run"]
PINNED = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def run_checker(*command: str, script: str | None = None) -> None:
    """Run a checker that is installed beside Python; fails with its output."""
    program = str(Path(sys.executable).parent / command[0])
    done = subprocess.run([program, *command[1:]], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in workflow(name)["jobs"].values() for step in job["steps"]]


def test_there_are_no_other_workflows():
    assert sorted(path.stem for path in WORKFLOWS.iterdir()) == sorted(NAMES)


def test_the_workflows_follow_githubs_schema():
    run_checker("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS.iterdir()))


def test_zizmor_finds_nothing_in_pedantic_mode():
    run_checker("zizmor", "--offline", "--no-progress", "--persona", "pedantic", str(WORKFLOWS))


@pytest.mark.parametrize("name", NAMES)
def test_shellcheck_finds_nothing_in_any_script_of_a_step(name: str):
    scripts = [step["run"] for step in steps(name) if "run" in step]
    assert scripts
    for script in scripts:
        run_checker("shellcheck", "--shell=bash", "-", script=script)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing_in_the_scripts_that_steps_call(path: Path):
    run_checker("shellcheck", str(path))


@pytest.mark.parametrize("name", NAMES)
def test_no_expression_is_inserted_into_a_script(name: str):
    assert [step["name"] for step in steps(name) if EXPRESSION.search(step.get("run", ""))] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_pinned_to_a_commit_with_its_version(name: str):
    lines = [line.strip() for line in (WORKFLOWS / f"{name}.yml").read_text().splitlines()]
    used = [line.removeprefix("- ") for line in lines if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_job_may_only_read_the_code(name: str):
    definition = workflow(name)
    assert definition["permissions"] == {}
    assert all(job["permissions"] == {"contents": "read"} for job in definition["jobs"].values())
    checkouts = [step for step in steps(name) if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == len(definition["jobs"])
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("name", NAMES)
def test_every_job_has_a_timeout_and_a_concurrency_group(name: str):
    definition = workflow(name)
    assert definition["concurrency"]["group"]
    assert all(job["timeout-minutes"] > 0 for job in definition["jobs"].values())


def test_no_fork_runs_on_the_gpu_runner():
    definition = workflow("gpu")
    assert set(definition["on"]) == {"workflow_dispatch", "push"}
    assert definition["on"]["push"] == {"branches": ["main"]}
    assert [job["runs-on"] for job in definition["jobs"].values()] == [["self-hosted", "gpu"]]
    assert {job["runs-on"] for job in workflow("ci")["jobs"].values()} == {"ubuntu-24.04"}


def test_only_single_steps_of_the_gpu_workflow_get_secrets():
    assert "secrets." not in (WORKFLOWS / "ci.yml").read_text()
    definition = workflow("gpu")
    assert "secrets." not in str(definition.get("env"))
    (job,) = definition["jobs"].values()
    assert "secrets." not in str({key: value for key, value in job.items() if key != "steps"})
    steps_with_secrets = {step["name"] for step in job["steps"] if "secrets." in str(step)}
    assert steps_with_secrets == {"Pull", "Run the pipeline", "Push", "Summary and plots", "Require a promotion"}


def test_every_variable_of_the_gpu_workflow_is_passed_to_the_image():
    passed = (ROOT / ".github/scripts/in-image.sh").read_text()
    (job,) = workflow("gpu")["jobs"].values()
    secrets = {name for step in job["steps"] for name, value in step.get("env", {}).items() if "secrets." in value}
    assert [name for name in sorted(secrets | set(job["env"])) if not re.search(rf"\b{name}\b", passed)] == []


def test_the_docs_describe_every_variable_secret_and_input():
    definition = (WORKFLOWS / "gpu.yml").read_text()
    named = set(re.findall(r"\b(?:vars|secrets|inputs)\.(\w+)", definition))
    assert named == {"preset", "params"} | {name for name in named if name.isupper()}
    docs = (ROOT / "docs/runner.md").read_text()
    assert sorted(name for name in named if f"`{name}`" not in docs) == []
