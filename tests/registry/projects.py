"""Projects that are ready for the gate, and their promotions in separate processes.

The student's weights are a few bytes: registration copies them and uses only their hash.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from copy import deepcopy
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from callwright.storage.files import file_hash, folder_hash, write_json
from callwright.storage.jsonl import write
from callwright.tasks import TASKS
from tests.fakes import problem
from tests.reports.golden_files import golden
from tests.working_tree import ROOT

PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["mlflow", "mlflow.pyfunc", "callwright.registry.promote", "tests.registry.projects"])
WRITES = ("create_", "set_", "delete_", "update_", "rename_")

SURE = {"value": 0.9, "low": 0.85, "high": 0.95, "n": 100}
GAINED = {"value": 0.4, "low": 0.3, "high": 0.5, "p_mcnemar": 0.001, "p_wilcoxon": 0.001}
METRICS: dict[str, Any] = {
    "accuracy": {
        "base": {"overall": {**SURE, "value": 0.5}, "arithmetic": {**SURE, "value": 0.5}},
        "student": {"overall": SURE, "arithmetic": SURE},
    },
    "gain": {"overall": GAINED, "arithmetic": GAINED},
    "valid_calls": {"base": 0.9, "student": 0.99},
    "faults": {"base": {"wrong_answer": 50}, "student": {"wrong_answer": 10}},
}
QUALITY = golden("quality.json")
PROBLEMS = golden("problems.json")
PROBLEMS["splits"]["train"]["problems"] = 1200
TRAINING = golden("train.json") | {"pairs": 930, "steps": 117}


def make_project(folder: Path, weights: bytes) -> Path:
    """A folder with all files that `promote` reads; evaluated without a champion."""
    for name in ("models/base", "models/student", "data/problems", "data/evaluation", "reports"):
        (folder / name).mkdir(parents=True)
    shutil.copy(ROOT / "params.yaml", folder / "params.yaml")
    write_json(folder / "models/base/recipe.json", {"source": "embedded"})
    (folder / "models/student/model.safetensors").write_bytes(weights)
    write_json(folder / "models/student/training.json", {"key": "key of the training"})
    write(folder / "data/problems/test.jsonl", [problem()])
    for model in ("base", "student"):
        write(folder / f"data/evaluation/{model}.jsonl", [])
    write_json(folder / "reports/problems.json", PROBLEMS)
    write_json(folder / "reports/rollout.json", golden("rollout.json"))
    write_json(folder / "reports/train.json", TRAINING)
    (folder / "reports/curves.csv").write_text("step,loss\n1,0.7\n2,0.6\n")
    write_json(folder / "reports/quality.json", QUALITY)
    evaluate(folder, None)
    return folder


def evaluate(folder: Path, champion: str | None) -> None:
    """Write the metrics of an evaluation of this project, compared with a champion if there is one."""
    metrics = deepcopy(METRICS)
    metrics["inputs"] = {
        "training": "key of the training",
        "problems": file_hash(folder / "data/problems/test.jsonl"),
        "base": folder_hash(folder / "models/base"),
        "student": folder_hash(folder / "models/student"),
        "champion": champion,
    }
    if champion is not None:
        metrics["gain_over_champion"] = metrics["gain"]
    write_json(folder / "reports/metrics.json", metrics)


def start(
    folder: Path,
    uri: str,
    action: str = "promote",
    kill_at: int | None = None,
    barrier: Any = None,
    short_lease: bool = False,
) -> Any:
    """Promote or roll back in a new process, which writes outcome.json; see `_act` for the options."""
    process = PROCESSES.Process(target=_act, args=(str(folder), uri, action, kill_at, barrier, short_lease))
    process.start()
    return process


def finish(process: Any, folder: Path) -> Any:
    """Wait for a process; returns its outcome, or None if it was killed."""
    process.join(600)
    path = folder / "outcome.json"
    outcome = json.loads(path.read_text()) if process.exitcode == 0 else None
    path.unlink(missing_ok=True)
    return outcome


def run(folder: Path, uri: str, action: str = "promote", **options: Any) -> Any:
    return finish(start(folder, uri, action, **options), folder)


def _act(folder: str, uri: str, action: str, kill_at: int | None, barrier: Any, short_lease: bool) -> None:
    """Promote or roll back in this process, and write outcome.json.

    Args:
        kill_at: the process kills itself just before its write number `kill_at` (0-based) to the registry.
        barrier: the process waits at it, twice, before it draws its ticket.
        short_lease: wait only briefly for earlier tickets, which were left by killed processes.
    """
    from callwright.errors import CallwrightError
    from callwright.registry import promote, promotion_lock

    os.chdir(folder)
    os.environ["MLFLOW_TRACKING_URI"] = uri
    os.environ.pop("MLFLOW_REGISTRY_URI", None)  # MLflow keeps the last address there
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    promotion_lock.LEASE_S = 0.5 if short_lease else 300.0  # this machine may be busy
    writes: list[str] = []
    _before_each_write(lambda name, args: _record_write(writes, name, args, kill_at, barrier))
    sys.stdout = sys.stderr = Path("output.log").open("a")  # noqa: SIM115 - until the process ends
    try:
        outcome = _promote() if action == "promote" else promote.roll_back("callwright-student")
    except CallwrightError as error:
        outcome = f"{type(error).__name__}: {error}"
    write_json(Path("outcome.json"), {"outcome": outcome, "writes": writes})


def _promote() -> dict[str, Any]:
    from callwright.params import Params
    from callwright.registry.promote import promote
    from callwright.reports.metrics import Metrics
    from callwright.reports.quality import Quality

    return promote(Params.load(), TASKS, Metrics.load_or_errors(), Quality.load_or_errors()).as_json()


def _record_write(writes: list[str], name: str, args: tuple[Any, ...], kill_at: int | None, barrier: Any) -> None:
    writes.append(f"{name} {' '.join(map(str, args))}")
    if len(writes) - 1 == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
    queue = "create_registered_model callwright-student-promotions"
    if barrier is not None and writes.count(queue) == 1 and writes[-1] == queue:
        barrier.wait(300)
        barrier.wait(300)


def _before_each_write(callback: Callable[[str, tuple[Any, ...]], None]) -> None:
    """Call back before every call of the real client that changes the registry."""
    from mlflow import MlflowClient

    def observed(name: str) -> Callable[..., Any]:
        real = getattr(MlflowClient, name)

        def call(self: Any, *args: Any, **options: Any) -> Any:
            callback(name, args)
            return real(self, *args, **options)

        return call

    for name in dir(MlflowClient):
        if name.startswith(WRITES) and ("model" in name or name == "set_tag") and "logged" not in name:
            setattr(MlflowClient, name, observed(name))
