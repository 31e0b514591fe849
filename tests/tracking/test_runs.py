"""Runs in MLflow's SQLite store, also when its creation is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from callwright.errors import ProviderError
from callwright.tracking.runs import pipeline_run

pytestmark = pytest.mark.slow
CONNECT = "from callwright.tracking.runs import connect; print(connect().search_experiments()[0].name)"


def connect_in(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CONNECT],
        cwd=folder,
        env=os.environ | {"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kill_while_creating_tables(folder: Path) -> None:
    with connect_in(folder) as process:
        while process.poll() is None:
            if any(database.stat().st_size > 0 for database in folder.rglob("mlflow.db")):
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.002)


def test_a_kill_while_the_tables_are_created_leaves_no_broken_database(tmp_path: Path):
    kill_while_creating_tables(tmp_path)
    assert not (tmp_path / "mlflow.db").exists()
    with connect_in(tmp_path) as again:
        out, error = again.communicate()
    assert out == "Default\n", error


def test_two_processes_that_create_the_database_share_it(tmp_path: Path):
    with connect_in(tmp_path) as first, connect_in(tmp_path) as second:
        assert [process.communicate()[0] for process in (first, second)] == ["Default\n"] * 2
    assert [file.name for file in tmp_path.iterdir() if not file.name.endswith(".lock")] == ["mlflow.db"]


def test_data_that_mlflow_rejects_gives_a_one_line_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import mlflow

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with (
        pytest.raises(
            ProviderError, match=r"mlflow\.db rejected the logged data \(INVALID_PARAMETER_VALUE\)"
        ) as caught,
        pipeline_run("0123456789abcdef"),
    ):
        mlflow.log_param("beta", 0.1)
        mlflow.log_param("beta", 0.3)
    assert "\n" not in str(caught.value)
    assert mlflow.active_run() is None
