"""Serve the champion of a finished pipeline with `mlflow models serve`, and ask it questions over HTTP."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from callwright.records import CheckedChain, Problem
from callwright.storage.jsonl import read
from tests.stages.conftest import Project


@contextmanager
def served(project: Project, model: str) -> Iterator[str]:
    """Serve a model of the project in this Python environment; yields the address for questions."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = ["mlflow", "models", "serve", "-m", model, "--env-manager", "local", "-p", str(port), "-h", "127.0.0.1"]
    environment = project.environment(MLFLOW_TRACKING_URI="sqlite:///mlflow.db", OMP_NUM_THREADS="1")
    log = project.folder / ".callwright/served.log"
    with (
        log.open("wb") as log_file,
        subprocess.Popen(
            command, cwd=project.folder, env=environment, stdout=log_file, stderr=log_file, start_new_session=True
        ) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}/ping", process, log.read_text)
            yield f"http://127.0.0.1:{port}/invocations"
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # its workers too


def _wait(url: str, process: "subprocess.Popen[bytes]", read_log: Callable[[], str]) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urlopen(url, timeout=5).close()
            return
        except (URLError, OSError):
            time.sleep(0.3)
    pytest.fail(read_log()[-3000:])


def ask(url: str, problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """The rows that answer problems of any tasks, one row per problem."""
    columns = ["question", "task"]
    rows = [[problem.question, problem.task] for problem in problems]
    status, body = post(url, {"dataframe_split": {"columns": columns, "data": rows}})
    assert status == 200, body
    predictions: list[dict[str, Any]] = json.loads(body)["predictions"]
    return predictions


def post(url: str, body: Any) -> tuple[int, str]:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=300) as answer:
            return int(answer.status), answer.read().decode()
    except HTTPError as error:
        return int(error.code), error.read().decode()


def twenty_of_each_task(project: Project) -> dict[str, list[Problem]]:
    """Test problems by task."""
    by_task: dict[str, list[Problem]] = {}
    for problem in read(Problem, project.folder / "data/problems/test.jsonl"):
        by_task.setdefault(problem.task, []).append(problem)
    assert all(len(problems) >= 20 for problems in by_task.values())
    return {task: problems[:20] for task, problems in by_task.items()}


def chains_of(project: Project, model: str = "student") -> dict[str, CheckedChain]:
    """A model's evaluated chains by problem."""
    path = project.folder / f"data/evaluation/{model}.jsonl"
    return {checked.chain.problem_id: checked for checked in read(CheckedChain, path)}
