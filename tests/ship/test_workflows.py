"""What the workflows say: valid, least privilege, pinned, no untrusted text in a shell."""

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


def checked(*command: str, script: str | None = None) -> None:
    """Run one of the checkers that are installed beside Python; what it says when it is not content."""
    program = str(Path(sys.executable).parent / command[0])
    done = subprocess.run([program, *command[1:]], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in workflow(name)["jobs"].values() for step in job["steps"]]


def test_there_are_no_other_workflows():
    assert sorted(path.stem for path in WORKFLOWS.iterdir()) == sorted(NAMES)


def test_they_follow_githubs_schema():
    checked("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS.iterdir()))


def test_zizmor_finds_nothing_even_when_it_is_pedantic():
    checked("zizmor", "--offline", "--no-progress", "--persona", "pedantic", str(WORKFLOWS))


@pytest.mark.parametrize("name", NAMES)
def test_shellcheck_finds_nothing_in_any_script_of_a_step(name: str):
    scripts = [step["run"] for step in steps(name) if "run" in step]
    assert scripts
    for script in scripts:
        checked("shellcheck", "--shell=bash", "-", script=script)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing_in_the_scripts_that_steps_call(path: Path):
    checked("shellcheck", str(path))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_from_outside_is_pasted_into_a_script(name: str):
    assert [step["name"] for step in steps(name) if EXPRESSION.search(step.get("run", ""))] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_pinned_to_a_commit_with_its_version(name: str):
    lines = [line.strip() for line in (WORKFLOWS / f"{name}.yml").read_text().splitlines()]
    used = [line.removeprefix("- ") for line in lines if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_job_may_read_the_code_and_nothing_else(name: str):
    described = workflow(name)
    assert described["permissions"] == {}
    assert all(job["permissions"] == {"contents": "read"} for job in described["jobs"].values())
    checkouts = [step for step in steps(name) if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == len(described["jobs"])
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("name", NAMES)
def test_every_job_ends_after_a_time_and_one_run_waits_for_or_replaces_the_other(name: str):
    described = workflow(name)
    assert described["concurrency"]["group"]
    assert all(job["timeout-minutes"] > 0 for job in described["jobs"].values())


def test_nobodys_fork_runs_on_the_gpu_runner():
    described = workflow("gpu")
    assert set(described["on"]) == {"workflow_dispatch", "push"}
    assert described["on"]["push"] == {"branches": ["main"]}
    assert [job["runs-on"] for job in described["jobs"].values()] == [["self-hosted", "gpu"]]
    assert {job["runs-on"] for job in workflow("ci")["jobs"].values()} == {"ubuntu-24.04"}


def test_secrets_are_seen_by_single_steps_of_the_gpu_workflow_alone():
    assert "secrets." not in (WORKFLOWS / "ci.yml").read_text()
    described = workflow("gpu")
    assert "secrets." not in str(described.get("env"))
    (job,) = described["jobs"].values()
    assert "secrets." not in str({key: value for key, value in job.items() if key != "steps"})
    holders = {step["name"] for step in job["steps"] if "secrets." in str(step)}
    assert holders == {"Pull", "Run the pipeline", "Push", "Summary and plots", "Require a promotion"}


def test_every_variable_of_the_gpu_workflow_that_steps_set_gets_into_the_image():
    passed = (ROOT / ".github/scripts/in-image.sh").read_text()
    (job,) = workflow("gpu")["jobs"].values()
    secrets = {name for step in job["steps"] for name, value in step.get("env", {}).items() if "secrets." in value}
    assert [name for name in sorted(secrets | set(job["env"])) if not re.search(rf"\b{name}\b", passed)] == []


def test_the_docs_say_what_every_variable_secret_and_input_is():
    described = (WORKFLOWS / "gpu.yml").read_text()
    named = set(re.findall(r"\b(?:vars|secrets|inputs)\.(\w+)", described))
    assert named == {"preset", "params"} | {name for name in named if name.isupper()}
    docs = (ROOT / "docs/runner.md").read_text()
    assert sorted(name for name in named if f"`{name}`" not in docs) == []
