"""The image: its contents, its build and its entry point. `make image-check` builds and runs it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths

from tests.working_tree import ROOT

SCRIPTS = ROOT / "conf/image"


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_only_the_package_its_versions_and_the_entry_point_are_sent_to_the_build(tmp_path: Path):
    wanted = {"pyproject.toml", "requirements.lock", "README.md", "LICENSE"}
    wanted |= {"src/callwright/cli/app.py", "conf/image/entrypoint.sh"}
    wanted.add("src/callwright/standins/embedded/shipped/model.safetensors")
    secrets = {".env", "src/.env", "src/callwright/.env.local", "src/server.pem", "src/id.key", ".dvc/config.local"}
    artifacts = {"data/problems/test.jsonl", "models/base/model.safetensors", "mlflow.db", "mlartifacts/1/card.md"}
    rest = {
        ".git/config",
        ".venv/bin/python",
        "src/callwright/__pycache__/cli.pyc",
        "params.yaml",
        "tests/cli/test_cli.py",
    }
    for name in wanted | secrets | artifacts | rest:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    # Docker's own function reads the file; it also lists folders.
    sent = exclude_paths(str(tmp_path), (ROOT / ".dockerignore").read_text().splitlines())
    assert {name for name in sent if (tmp_path / name).is_file()} - {"Dockerfile", ".dockerignore"} == wanted


def test_the_build_copies_only_sent_files():
    sent = exclude_paths(str(ROOT), (ROOT / ".dockerignore").read_text().splitlines())
    instructions = [line.split() for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("COPY ")]
    copied = {name for words in instructions if not words[1].startswith("--from=") for name in words[1:-1]}
    assert copied
    assert copied <= set(sent)


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A stand-in for docker that writes its arguments to a file, one per line."""
    path = tmp_path / "engine"
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\n')
    path.chmod(0o755)
    return path


def arguments(engine: Path, **environment: str) -> list[str]:
    done = run(SCRIPTS / "build.sh", cwd=ROOT, ENGINE=str(engine), **environment)
    assert done.returncode == 0, done.stderr
    return (engine.parent / "arguments").read_text().splitlines()


def test_the_image_is_built_for_the_callers_uid_but_not_for_root(engine: Path):
    uid = os.getuid() or 1000
    assert f"UID={uid}" in arguments(engine)


def test_the_build_accepts_a_base_a_pip_configuration_and_further_arguments(engine: Path):
    options = arguments(
        engine, BASE_IMAGE="debian:12", PIP_CONFIG_FILE="/etc/pip.conf", IMAGE_ARGS="--volume /a:/b:ro", IMAGE="mine"
    )
    assert options[:3] == ["build", "--tag", "mine"]
    assert options[options.index("BASE_IMAGE=debian:12") - 1] == "--build-arg"
    assert options[options.index("id=pip,src=/etc/pip.conf") - 1] == "--secret"
    assert options[-3:] == ["--volume", "/a:/b:ro", "."]


def test_without_an_engine_the_build_names_what_to_install(tmp_path: Path):
    for name in ("bash", "dirname", "git", "id"):
        program = shutil.which(name)
        assert program
        (tmp_path / name).symlink_to(program)
    done = run(SCRIPTS / "build.sh", cwd=ROOT, PATH=str(tmp_path), ENGINE="")
    assert done.returncode == 1
    assert done.stderr == "no container engine: install docker (and start its daemon), podman or buildah\n"


def test_the_entry_point_runs_any_command_and_keeps_its_exit_code(tmp_path: Path):
    done = run(SCRIPTS / "entrypoint.sh", "sh", "-c", "echo ran; exit 3", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "ran\n")


def test_the_entry_point_reports_a_missing_mount_in_one_line(tmp_path: Path):
    done = run(SCRIPTS / "entrypoint.sh", "dvc", "repro", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == f'{tmp_path} holds no dvc.yaml: mount a clone of Callwright with --volume "$PWD":/workspace\n'


def test_the_entry_point_names_the_user_of_a_clone_that_belongs_to_someone_else():
    with tempfile.TemporaryDirectory() as name:  # only root may read tmp_path
        clone = Path(name)
        shutil.copy(SCRIPTS / "entrypoint.sh", clone)
        (clone / "dvc.yaml").write_text("stages: {}\n")
        clone.chmod(0o555)
        other = 65534 if os.getuid() == 0 else None
        done = subprocess.run(
            ["./entrypoint.sh", "dvc", "repro"], cwd=clone, user=other, capture_output=True, text=True, check=False
        )
    assert done.returncode == 2
    assert f"which belongs to uid {os.getuid()}: add --user" in done.stderr


def test_the_scripts_pass_shellcheck():
    done = run("shellcheck", "--external-sources", *sorted(SCRIPTS.glob("*.sh")), cwd=ROOT)
    assert done.stdout == ""
    assert done.returncode == 0
