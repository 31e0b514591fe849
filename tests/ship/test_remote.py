"""DVC remotes: a clone pulls what another one pushed, and then has nothing to run."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.stages.conftest import Project, copy_of_the_project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("remote")]
SECRET = "planted-9c1d4f7e2b5a8036"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
OUTPUTS = ("data/pairs/train.jsonl", "models/student/model.safetensors", "reports/metrics.json", "models/registry.json")


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone in which the pipeline ran and whose dvc.lock is committed."""
    folder = tmp_path_factory.mktemp("remote") / "first"
    folder.mkdir()
    project = copy_of_the_project(folder)
    project.run("dvc", "repro")
    commit(project, "a run")
    return project


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The address of an S3 server with the bucket `callwright`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="tester",
        aws_secret_access_key=SECRET,
    ).create_bucket(Bucket="callwright")
    yield address
    server.stop()


def commit(project: Project, message: str) -> None:
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", message)


def clone(project: Project, name: str) -> Project:
    project.run("git", "clone", "--quiet", ".", f"../{name}")
    return Project(project.folder.parent / name)


def same_outputs(first: Project, second: Project) -> bool:
    return all((first.folder / name).read_bytes() == (second.folder / name).read_bytes() for name in OUTPUTS)


def test_without_settings_a_clone_beside_the_first_one_gets_all_outputs(committed: Project):
    """It does not get the registered model in the first clone's MLflow, and reports that."""
    committed.run("dvc", "push", "--run-cache")
    assert (committed.folder.parent / "callwright-storage/files").is_dir()
    second = clone(committed, "second")
    second.run("dvc", "pull")
    assert same_outputs(committed, second)
    assert "Data and pipelines are up to date." in second.run("dvc", "repro").stdout
    assert second.run("git", "status", "--short").stdout == ""
    refused = second.run("callwright", "promote", "--require", check=False)
    assert refused.returncode == 1
    assert "unregistered: models/registry.json says promoted, but no version of callwright-student" in refused.stdout


def test_without_the_lock_file_the_run_cache_restores_every_stage(committed: Project):
    third = clone(committed, "third")
    (third.folder / "dvc.lock").unlink()
    third.run("dvc", "pull", "--run-cache", "--allow-missing")
    output = third.run("dvc", "repro", "--pull").stdout
    assert output.count("is cached - skipping run, checking out outputs") == 7
    assert "Running stage 'promote'" in output, "a registration never comes from a cache"
    registered = json.loads((third.folder / "models/registry.json").read_text())
    assert (registered["decision"], registered["version"]) == ("promoted", "1")
    third.run("callwright", "promote", "--require")
    assert same_outputs(committed, third)


def test_an_s3_remote_works_and_no_key_is_written(committed: Project, bucket: str):
    committed.run("dvc", "remote", "modify", "storage", "url", "s3://callwright/shared")
    committed.run("dvc", "remote", "modify", "storage", "endpointurl", bucket)
    commit(committed, "the team's remote")
    committed.run("dvc", "push", **CREDENTIALS)
    fourth = clone(committed, "fourth")
    fourth.run("dvc", "pull", **CREDENTIALS)
    assert same_outputs(committed, fourth)
    assert "Data and pipelines are up to date." in fourth.run("dvc", "repro").stdout
    assert fourth.run("dvc", "status", "--cloud", **CREDENTIALS).stdout.endswith("are in sync.\n")
    for project in (committed, fourth):
        assert [str(path) for path in files(project.folder) if SECRET.encode() in path.read_bytes()] == []


def test_a_local_setting_stays_out_of_git(committed: Project, bucket: str):
    fifth = clone(committed, "fifth")
    shutil.rmtree(committed.folder.parent / "callwright-storage")
    fifth.run("dvc", "remote", "modify", "--local", "storage", "secret_access_key", SECRET)
    fifth.run("dvc", "remote", "modify", "--local", "storage", "access_key_id", "tester")
    fifth.run("dvc", "pull", "reports/metrics.json", AWS_DEFAULT_REGION="us-east-1")
    assert fifth.run("git", "status", "--short").stdout == ""
    files_with_secret = [path for path in files(fifth.folder) if SECRET.encode() in path.read_bytes()]
    assert files_with_secret == [fifth.folder / ".dvc/config.local"]


def test_own_source_files_are_pushed_and_pulled_too(committed: Project):
    committed.run("git", "checkout", "--quiet", "-b", "sources", "HEAD~1")  # with the default remote
    (committed.folder / "sources/gsm8k").mkdir(parents=True)
    (committed.folder / "sources/gsm8k/train.jsonl").write_text("{}\n")
    committed.run("dvc", "add", "sources/gsm8k")
    commit(committed, "source files")
    committed.run("dvc", "push")
    sixth = clone(committed, "sixth")
    sixth.run("dvc", "pull", "sources/gsm8k")
    assert (sixth.folder / "sources/gsm8k/train.jsonl").read_text() == "{}\n"


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
