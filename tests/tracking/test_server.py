"""Runs in MLflow's SQLite store, and on a local MLflow server with PostgreSQL."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from callwright.storage.files import write_json
from callwright.tracking import runs

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mlflow")]
LOCK = """
schema: '2.0'
stages:
  problems: {cmd: a, outs: [{path: data/problems, md5: 1111111111111111111111111111111a.dir}]}
  pairs: {cmd: b, outs: [{path: data/pairs, md5: 2222222222222222222222222222222b.dir}]}
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def postgres_program(name: str) -> str:
    program = shutil.which(name) or next(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None)
    if program is None:
        pytest.skip(f"PostgreSQL's {name} is not installed")
    return program


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URI of an empty database."""
    if find_spec("psycopg") is None:
        pytest.skip("psycopg, with which MLflow reaches PostgreSQL, is not installed")
    initdb, server = postgres_program("initdb"), postgres_program("postgres")
    user = {"user": "postgres"} if os.geteuid() == 0 else {}  # PostgreSQL refuses to run as root
    folder, port = tempfile.mkdtemp(), free_port()
    if user:
        shutil.chown(folder, "postgres")
    data = f"{folder}/data"
    try:
        subprocess.run([initdb, "-D", data, "-U", "tester", "--auth=trust"], check=True, capture_output=True, **user)
        command = [server, "-D", data, "-k", folder, "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, **user) as process:
            while process.poll() is None:
                with socket.socket() as client:
                    if client.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield f"postgresql://tester@127.0.0.1:{port}/postgres"
            process.terminate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(postgres: str, tmp_path: Path) -> Iterator[str]:
    """The address of an MLflow server that keeps its runs in the database."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", postgres, "--host", "127.0.0.1",
               "--port", str(port), "--workers", "1", "--artifacts-destination", str(tmp_path / "server")]  # fmt: skip
    with (tmp_path / "server.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            try:
                urlopen(f"{address}/health", timeout=5).close()
                break
            except (URLError, OSError):
                time.sleep(0.2)
        else:
            pytest.fail((tmp_path / "server.log").read_text()[-2000:])
        yield address
        process.terminate()


@pytest.fixture(params=["sqlite", "server"])
def uri(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "sqlite" else str(request.getfixturevalue("server"))


def test_all_stages_of_an_execution_share_one_run(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import mlflow

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    Path("dvc.lock").write_text(LOCK)
    write_json(Path("student") / runs.TRAINING_FILE, {"key": "k1"})
    Path("metrics.json").write_text("{}")
    with runs.pipeline_run("k1", system_metrics=True) as run_id:
        runs.log_lineage()
        mlflow.log_metrics({"loss": 0.5, "tokens_per_second": 10.0}, step=5)
    with runs.pipeline_run("k1") as again:
        runs.log_lineage()
    assert (
        runs.log_to_training_run(Path("student"), {"accuracy": {"student": 0.75}}, [Path("metrics.json")])
        == run_id
        == again
    )
    client = runs.connect()
    run = client.get_run(run_id)
    assert run.data.metrics["loss"] == 0.5
    assert run.data.metrics["accuracy.student"] == 0.75
    assert run.data.tags["callwright.data"] == "2222222222222222222222222222222b.dir"
    named = {used.dataset.name: (used.dataset.digest, used.tags[0].value) for used in run.inputs.dataset_inputs}
    assert named == {
        "problems": ("1111111111111111111111111111111a.dir", "lineage"),
        "pairs": ("2222222222222222222222222222222b.dir", "training"),
    }
    assert [artifact.path for artifact in client.list_artifacts(run_id, "reports")] == ["reports/metrics.json"]
    assert Path("mlflow.db").exists() == (not uri), "with a server there is no local database"


def test_a_missing_server_gives_a_one_line_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:word@127.0.0.1:{free_port()}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(
        runs.ProviderError, match=r"^MLflow at http://\*\*\*@127.0.0.1:\d+ cannot be used .* check MLFLOW"
    ):
        runs.connect()
