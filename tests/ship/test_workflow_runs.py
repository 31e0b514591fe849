"""Run the workflows' scripts step by step in clean clones, on a stand-in for a runner."""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ship import docker_stand_in
from tests.ship.runner import Runner, commit, git, lend_environment, origin
from tests.working_tree import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflows")]
KEY = "-".join(("sk", "planted", "77c1e5b2d4860a3f"))  # in pieces, because the clone contains this file
TINY = (ROOT / "tests/stages/tiny.yaml").read_text()
NOTHING = {
    "vars.MLFLOW_TRACKING_URI": "",
    "vars.REGISTRY_IMAGE": "",
    "vars.DVC_REMOTE_URL": "",
    "vars.DVC_REMOTE_ENDPOINT": "",
    "secrets.AWS_ACCESS_KEY_ID": "",
    "secrets.AWS_SECRET_ACCESS_KEY": "",
    "secrets.HF_TOKEN": "",
    "secrets.MLFLOW_TRACKING_USERNAME": "",
    "secrets.MLFLOW_TRACKING_PASSWORD": "",
    "secrets.TEACHER_API_KEY": KEY,
    "inputs.preset": "",
    "inputs.params": "",
    "github.event.before": "",
    "github.event_name == 'workflow_dispatch'": "false",
}
STEPS = [
    "Clean up after the last run",
    "Get the image",
    "Set parameters",
    "Set the remote",
    "Pull",
    "Run the pipeline",
    "Push",
    "Summary and plots",
    "Require a promotion",
    "End what a cancelled step left",
]


def gpu_runner(folder: Path, repository: Path, **expressions: str) -> Runner:
    (folder / "bin").mkdir(parents=True)
    docker = folder / "bin/docker"
    docker.write_text(f"#!{sys.executable}\n{Path(docker_stand_in.__file__).read_text()}")
    docker.chmod(0o755)
    return Runner(folder, repository, NOTHING | expressions, bin=folder / "bin")


@dataclass(frozen=True)
class Dispatched:
    repository: Path
    runner: Runner
    succeeded: bool
    calls: list[list[str]]

    def commands(self) -> list[list[str]]:
        """The commands that were run in the image, without docker's arguments."""
        return [call[call.index(self.image) + 1 :] for call in self.calls if call[0] == "run"]

    @property
    def image(self) -> str:
        return next(call[2] for call in self.calls if call[0] == "build")


@pytest.fixture(scope="module")
def dispatched(tmp_path_factory: pytest.TempPathFactory) -> Dispatched:
    """A manual run of the GPU workflow with parameters of the smallest scale."""
    repository = origin(tmp_path_factory.mktemp("origin"))
    runner = gpu_runner(
        tmp_path_factory.mktemp("first") / "runner",
        repository,
        **{
            "inputs.preset": "embedded",
            "inputs.params": TINY,
            "github.event_name == 'workflow_dispatch'": "true",
        },
    )
    runner.check_out()
    succeeded = runner.run("gpu", "pipeline")
    calls = [json.loads(line) for line in (runner.folder / "bin/calls.jsonl").read_text().splitlines()]
    return Dispatched(repository, runner, succeeded, calls)


def test_a_dispatched_run_executes_every_step_and_promotes(dispatched: Dispatched):
    assert dispatched.succeeded, dispatched.runner.log
    assert dispatched.runner.ran == STEPS
    assert dispatched.commands() == [
        ["callwright", "preset", "embedded"],
        ["callwright", "preset", "dispatched"],
        ["dvc", "remote", "modify", "--local", "storage", "url", str(dispatched.runner.folder / "callwright-storage")],
        ["dvc", "pull", "--run-cache", "--allow-missing"],
        ["dvc", "repro", "--pull"],
        ["dvc", "push", "--run-cache"],
        ["dvc", "plots", "diff", "origin/main", "--out", "build/plots"],
        ["python", ".github/scripts/summary.py", "origin/main"],
        ["callwright", "promote", "--require"],
    ]


def test_the_image_is_built_for_the_caller_and_runs_with_all_gpus_as_the_caller(dispatched: Dispatched):
    (built,) = [call for call in dispatched.calls if call[0] == "build"]
    assert len(dispatched.image.removeprefix("callwright:")) == 16
    assert f"org.opencontainers.image.revision={git(dispatched.repository, 'rev-parse', 'HEAD')}" in built
    for call in dispatched.calls:
        if call[0] == "run":
            assert call[call.index("--gpus") + 1] == "all"
            assert call[call.index("--user") + 1] == f"{os.getuid()}:{os.getgid()}"
            assert f"{dispatched.runner.clone}:/workspace" in call
            for name in (".git", ".github", "conf/image"):
                assert f"{dispatched.runner.clone}/{name}:/workspace/{name}:ro" in call


def test_a_secret_is_passed_only_to_the_command_that_needs_it(dispatched: Dispatched):
    calls_with_key = [call for call in dispatched.calls if "TEACHER_API_KEY" in call]
    assert [call[-3:] for call in calls_with_key] == [["dvc", "repro", "--pull"]]
    files = [path for path in dispatched.runner.folder.rglob("*") if path.is_file()]
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []


def test_the_summary_shows_decision_accuracies_curves_and_changes(dispatched: Dispatched):
    summary = dispatched.runner.summary
    metrics = json.loads((dispatched.runner.clone / "reports/metrics.json").read_text())
    assert summary.startswith("## Promoted: callwright-student version 1 (champion)\n")
    for model in ("base", "student", "teacher"):
        overall = metrics["accuracy"][model]["overall"]
        interval = f"{overall['low']:.1%} to {overall['high']:.1%}"
        assert f"| {model} | {overall['value']:.1%} | {interval} | {overall['n']} |" in summary
    assert 'title "Accuracy, %"' in summary
    assert 'title "Training: loss"' in summary
    assert "| reports/metrics.json " in summary
    assert "accuracy.student.overall.value" in summary


def test_the_files_of_the_artifact_exist(dispatched: Dispatched):
    clone = dispatched.runner.clone
    for name in ("reports/index.html", "build/plots/index.html", "models/registry.json", "params.yaml", "dvc.lock"):
        assert (clone / name).is_file(), name
    assert git(clone, "status", "--short") == "M params.yaml\n?? dvc.lock\n?? models/registry.json"


@pytest.fixture(scope="module")
def pushed(dispatched: Dispatched, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A push of the first run's files with a stricter gate, on another runner with the same remote."""
    first = dispatched.runner
    before = git(dispatched.repository, "rev-parse", "HEAD")
    for name in ("params.yaml", "dvc.lock"):
        shutil.copy2(first.clone / name, dispatched.repository / name)
    params = dispatched.repository / "params.yaml"
    assert "min_accuracy: 0.0" in params.read_text()
    params.write_text(params.read_text().replace("min_accuracy: 0.0", "min_accuracy: 1.0"))
    commit(dispatched.repository, "the run, and a stricter gate")
    runner = gpu_runner(
        tmp_path_factory.mktemp("second") / "runner",
        dispatched.repository,
        **{"vars.DVC_REMOTE_URL": str(first.folder / "callwright-storage"), "github.event.before": before},
    )
    runner.check_out()
    assert not runner.run("gpu", "pipeline"), "the gate should have refused"
    return runner


def test_a_push_runs_only_changed_stages_and_pulls_the_rest(pushed: Runner):
    assert [line for line in pushed.log.splitlines() if line.startswith("Running stage")] == [
        "Running stage 'promote':"
    ]


def test_a_refused_student_fails_the_job_after_the_summary_is_written(pushed: Runner):
    assert pushed.ran == [name for name in STEPS if name != "Set parameters"]
    assert "refused: " in pushed.log
    assert pushed.summary.startswith("## Refused\n\n- ")
    assert "promote.min_accuracy asks for >= 1" in pushed.summary
    assert (pushed.clone / "build/plots/index.html").is_file()


def test_the_first_step_keeps_cache_journals_and_registry_and_deletes_the_rest(dispatched: Dispatched):
    clone = dispatched.runner.clone
    names_kept = [".dvc/cache/files", ".callwright/journals", "mlflow.db"]
    names_deleted = ["left-over.txt", "models/student", "dvc.lock", ".dvc/config.local"]
    (clone / "left-over.txt").write_text("left by a killed run")
    assert [name for name in names_kept + names_deleted if not (clone / name).exists()] == []
    assert dispatched.runner.run("gpu", "pipeline", only=STEPS[0])
    assert [name for name in names_kept + names_deleted if (clone / name).exists()] == names_kept


@pytest.mark.parametrize("job", ["check", "slow", "pipeline"])
def test_the_hosted_jobs_succeed(job: str, tmp_path: Path):
    """The jobs' tests are only collected, because this run executes them already."""
    repository = origin(tmp_path / "origin")
    machine = {
        "PYTEST_ADDOPTS": "--collect-only",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(tmp_path / "callwright/src"),
    }
    (tmp_path / "bin").mkdir()
    for name in ("chromium", "npm"):  # tests that need them are only collected
        program = tmp_path / "bin" / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    runner = Runner(tmp_path, repository, {"vars.PIP_EXTRA_INDEX_URL": ""}, tmp_path / "bin", machine)
    runner.check_out()
    lend_environment(runner.clone)
    assert runner.run("ci", job), runner.log
    if job == "pipeline":
        assert runner.log.count("Running stage ") == 2 * 8  # dry, then for real
        assert runner.summary.startswith("## Promoted: callwright-student version 1")
    else:
        collected = {"check": "test_workflows", "slow": "test_workflow_runs"}
        assert [name for name, module in collected.items() if f"tests/ship/{module}.py::" in runner.log] == [job]


@pytest.mark.parametrize("exit_code", [0, 1])
def test_the_weekly_audit_reads_the_lock_strictly_and_fails_on_findings(exit_code: int, tmp_path: Path):
    """pip-audit needs a network, so stand-ins replace it and the pip that installs it."""
    (tmp_path / "bin").mkdir()
    script = f'echo "$*" >> {tmp_path}/asked; echo "| package | advisory |"; exit'
    for name, code in (("pip", 0), ("pip-audit", exit_code)):
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\n{script} {code}\n")
        program.chmod(0o755)
    runner = Runner(tmp_path, origin(tmp_path / "origin"), {}, bin=tmp_path / "bin")
    runner.check_out()
    assert runner.run("audit", "audit") == (exit_code == 0)
    pip_arguments, audit_arguments = (tmp_path / "asked").read_text().splitlines()
    assert pip_arguments.startswith("install pip-audit==")
    assert "--requirement requirements.lock" in audit_arguments
    assert "--strict" in audit_arguments
    assert (runner.clone / "requirements.lock").is_file()
    assert "| package | advisory |" in runner.summary
