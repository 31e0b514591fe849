"""MLflow's own SQLite store, killed while it is made."""

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
            if any(made.stat().st_size > 0 for made in folder.rglob("mlflow.db")):
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.002)


def test_a_kill_while_the_tables_are_made_leaves_no_broken_database(tmp_path: Path):
    kill_while_creating_tables(tmp_path)
    assert not (tmp_path / "mlflow.db").exists()
    with connect_in(tmp_path) as again:
        out, error = again.communicate()
    assert out == "Default\n", error


def test_two_that_make_it_at_once_share_one_database(tmp_path: Path):
    with connect_in(tmp_path) as one, connect_in(tmp_path) as other:
        assert [process.communicate()[0] for process in (one, other)] == ["Default\n"] * 2
    assert [file.name for file in tmp_path.iterdir() if not file.name.endswith(".lock")] == ["mlflow.db"]


def test_what_mlflow_refuses_in_the_middle_of_a_run_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import mlflow

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with (
        pytest.raises(
            ProviderError, match=r"mlflow\.db did not take what was logged \(INVALID_PARAMETER_VALUE\)"
        ) as caught,
        pipeline_run("0123456789abcdef"),
    ):
        mlflow.log_param("beta", 0.1)
        mlflow.log_param("beta", 0.3)
    assert "\n" not in str(caught.value)
    assert mlflow.active_run() is None
