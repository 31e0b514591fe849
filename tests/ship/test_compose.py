"""compose.yaml is correct, and its MLflow service runs here with PostgreSQL and S3, without containers."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.working_tree import ROOT

COMPOSE = YAML(typ="safe").load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LONG_LIVED = sorted(name for name in SERVICES if SERVICES[name].get("restart"))


def test_compose_yaml_fits_the_compose_specification():
    command = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_services_are_complete():
    assert set(SERVICES) == {"postgres", "artifacts", "mlflow", "teacher", "pipeline", "pipeline-gpu"}


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_only_on_this_machine(name: str):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_from_the_environment(name: str):
    environment = SERVICES[name].get("environment", {})
    secrets = {key: value for key, value in environment.items() if re.search("PASS|SECRET|TOKEN|API_KEY", key)}
    assert all(re.fullmatch(r"\$\{[A-Z_]+(:-|:\?[^}]+)\}", value) for value in secrets.values()), secrets
    other_values = " ".join(str(value) for key, value in environment.items() if key not in secrets)
    assert not re.search(r"://[^/\s]*:[^/@\s]*@", other_values)  # no password inside an address


@pytest.mark.parametrize("name", LONG_LIVED)
def test_a_long_running_service_has_a_health_check(name: str):
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_until_its_dependencies_are_healthy(name: str):
    for needed, condition in SERVICES[name].get("depends_on", {}).items():
        assert condition == {"condition": "service_healthy"}
        assert "healthcheck" in SERVICES[needed]


@pytest.mark.parametrize("name", SERVICES)
def test_third_party_images_are_pinned_to_a_version(name: str):
    image = SERVICES[name]["image"]
    assert image == "${CALLWRIGHT_IMAGE:-callwright}" or re.search(r":v?\d+\.\d+", image)


def test_persistent_data_is_in_named_volumes():
    mounted = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert mounted - {".", "./.git", "/dev/null"} == set(COMPOSE["volumes"])


PIPELINES = [name for name in SERVICES if name.startswith("pipeline")]


@pytest.mark.parametrize("name", PIPELINES)
def test_the_pipeline_sees_no_file_of_secrets_and_cannot_change_git(name: str):
    volumes = SERVICES[name]["volumes"]
    assert ".:/workspace" in volumes
    assert "/dev/null:/workspace/.env:ro" in volumes
    assert "./.git:/workspace/.git:ro" in volumes
    assert not [key for key in SERVICES[name]["environment"] if re.search("POSTGRES|PGPASS|AWS|ARTIFACTS", key)]
    assert "env_file" not in SERVICES[name]


@pytest.mark.parametrize("name", PIPELINES)
def test_the_pipeline_reaches_mlflow_and_the_teacher_but_not_mlflows_stores(name: str):
    networks = set(SERVICES[name]["networks"])
    reached = {other for other, service in SERVICES.items() if networks & set(service["networks"])}
    assert reached == {"mlflow", "teacher", *PIPELINES}
    for store in ("postgres", "artifacts"):
        assert set(SERVICES[store]["networks"]) & set(SERVICES["mlflow"]["networks"])
        assert all(COMPOSE["networks"][network]["internal"] for network in SERVICES[store]["networks"])


# MLflow's service: its command and environment in compose.yaml, with the addresses and secrets filled in.

PASSWORD = "p@ss:w/rd % of a test"  # an address would have to escape it


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(*command: str | Path, ready: str, **more: Any) -> Iterator[None]:
    """Run a server while the block runs; wait until it answers at `ready` (host:port or an http address)."""
    with tempfile.TemporaryFile("w+") as log, subprocess.Popen(command, stdout=log, stderr=log, **more) as process:
        try:
            for _ in range(1200):
                if process.poll() is not None or answers(ready):
                    break
                time.sleep(0.1)
            log.seek(0)
            assert answers(ready), log.read()
            yield
        finally:
            process.terminate()


def answers(address: str) -> bool:
    try:
        if address.startswith("http"):
            with urllib.request.urlopen(address, timeout=2):
                return True
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), timeout=2):
            return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A new PostgreSQL cluster with compose.yaml's user and database; yields host and port."""
    import psycopg

    programs = [*sorted(Path("/usr/lib/postgresql").glob("*/bin")), Path(shutil.which("initdb") or "/none/x").parent]
    programs = [folder for folder in programs if (folder / "initdb").exists()]
    if not programs:
        pytest.skip("no PostgreSQL on this machine (Debian: apt-get install postgresql)")
    user = 65534 if os.getuid() == 0 else None  # PostgreSQL refuses to run as root
    settings = SERVICES["postgres"]["environment"]
    with tempfile.TemporaryDirectory(prefix="postgres") as name:  # only root may read tmp_path
        folder, port = Path(name), free_port()
        (folder / "password").write_text(PASSWORD)
        if user:
            for path in (folder, folder / "password"):
                os.chown(path, user, user)
        init = [programs[-1] / "initdb", "--pgdata", folder / "data", "--username", settings["POSTGRES_USER"]]
        init += ["--auth", "scram-sha-256", "--pwfile", folder / "password", "--encoding", "UTF8", "--no-sync"]
        subprocess.run(init, check=True, user=user, stdout=subprocess.DEVNULL)
        control = [programs[-1] / "pg_ctl", "--pgdata", folder / "data", "--wait", "--log", folder / "log"]
        options = f"-p {port} -k {folder} -h 127.0.0.1"
        subprocess.run([*control, "--options", options, "start"], check=True, user=user, stdout=subprocess.DEVNULL)
        try:
            administrator = {"host": "127.0.0.1", "port": port, "password": PASSWORD, "autocommit": True}
            with psycopg.connect(**administrator, user=settings["POSTGRES_USER"], dbname="postgres") as connection:
                connection.execute(f"CREATE DATABASE {settings['POSTGRES_DB']}")
            yield f"127.0.0.1:{port}"
        finally:
            subprocess.run([*control, "--mode", "fast", "stop"], check=True, user=user, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def artifacts() -> Iterator[str]:
    """An S3 server (moto) with compose.yaml's bucket; yields its address."""
    import boto3

    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with running(Path(sys.executable).parent / "moto_server", "-H", "127.0.0.1", "-p", str(port), ready=address):
        client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **KEYS)
        client.create_bucket(Bucket=bucket())
        yield address


KEYS = {"aws_access_key_id": "mlflow", "aws_secret_access_key": "of-a-test"}


def bucket() -> str:
    """The bucket that the server writes to; the store's volume creates it."""
    destination = SERVICES["mlflow"]["environment"]["MLFLOW_ARTIFACTS_DESTINATION"]
    (volume,) = SERVICES["artifacts"]["volumes"]
    assert destination == f"s3://{Path(volume.split(':')[1]).name}"
    return destination.removeprefix("s3://")


@pytest.fixture(scope="module")
def server(postgres: str, artifacts: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """compose.yaml's MLflow server; yields its address."""
    port = free_port()
    secrets = {"POSTGRES_PASSWORD": PASSWORD, "ARTIFACTS_SECRET_KEY": KEYS["aws_secret_access_key"]}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_", "PG"))}
    for key, value in SERVICES["mlflow"]["environment"].items():
        filled = re.sub(r"\$\{([A-Z_]+)[^}]*\}", lambda match: secrets[match[1]], value)
        filled = filled.replace("postgres:5432", postgres).replace("http://artifacts:7070", artifacts)
        environment[key] = filled.replace("0.0.0.0", "127.0.0.1").replace("5000", str(port))
    program, *rest = SERVICES["mlflow"]["command"]
    command = [Path(sys.executable).parent / program, *rest]
    folder = tmp_path_factory.mktemp("server")
    address = f"http://127.0.0.1:{port}"
    health = SERVICES["mlflow"]["healthcheck"]["test"][-1]
    with running(*command, ready=f"{address}/health", env=environment, cwd=folder):
        check = health.replace("5000", str(port))
        subprocess.run([sys.executable, "-c", check], check=True, env=environment)
        yield address


@pytest.mark.slow
def test_mlflow_keeps_runs_and_models_in_postgresql_and_artifacts_in_s3(
    server: str, postgres: str, artifacts: str, tmp_path: Path
):
    import boto3
    import psycopg
    from mlflow import MlflowClient

    client = MlflowClient(server, server)
    run = client.create_run(client.create_experiment("of a test"))
    client.log_metric(run.info.run_id, "accuracy", 0.75)
    (tmp_path / "card.md").write_text("what the model is")
    client.log_artifact(run.info.run_id, str(tmp_path / "card.md"))
    client.create_registered_model("callwright-student")
    client.create_model_version("callwright-student", f"runs:/{run.info.run_id}/model", run.info.run_id)
    client.set_registered_model_alias("callwright-student", "champion", "1")

    host, port = postgres.split(":")
    with psycopg.connect(host=host, port=int(port), user="mlflow", dbname="mlflow", password=PASSWORD) as connection:
        assert connection.execute("SELECT key, value FROM metrics").fetchall() == [("accuracy", 0.75)]
        aliases = "SELECT name, alias, version FROM registered_model_aliases"
        assert connection.execute(aliases).fetchall() == [("callwright-student", "champion", 1)]
    store = boto3.client("s3", endpoint_url=artifacts, region_name="us-east-1", **KEYS)
    keys = [entry["Key"] for entry in store.list_objects_v2(Bucket=bucket())["Contents"]]
    assert [key for key in keys if key.endswith(f"{run.info.run_id}/artifacts/card.md")] == keys
    (tmp_path / "fetched").mkdir()
    fetched = client.download_artifacts(run.info.run_id, "card.md", str(tmp_path / "fetched"))
    assert Path(fetched).read_text() == "what the model is"


@pytest.mark.slow
@pytest.mark.parametrize(("host", "status"), [("mlflow:5000", 200), ("evil.example:5000", 403)])
def test_mlflow_answers_only_for_its_configured_host_names(server: str, host: str, status: int):
    host = host.replace("5000", server.rpartition(":")[2])
    url = f"{server}/api/2.0/mlflow/experiments/get?experiment_id=0"
    request = urllib.request.Request(url, headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            answered = answer.status
    except urllib.error.HTTPError as error:
        answered = error.code
    assert answered == status
