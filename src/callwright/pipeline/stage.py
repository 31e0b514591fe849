"""What every stage script shares: one run at a time, its wall clock, and one clear line for an error."""

import logging
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType

from callwright import paths
from callwright.errors import CallwrightError
from callwright.redaction import redacted
from callwright.storage.files import write_json
from callwright.text import one_line


@dataclass(slots=True)
class Clock:
    """Seconds since the stage started."""

    started: float = field(default_factory=time.perf_counter)

    def seconds(self) -> float:
        return round(time.perf_counter() - self.started, 2)


def run_stage(name: str, main: Callable[[Clock], None]) -> None:
    """Run a stage: exit 1 with one line on a user's mistake; write its seconds on success.

    In a distributed launch (`LOCAL_RANK` above 0) only `main` runs: rank 0 holds the lock and the clock.
    """
    clock = Clock()
    sys.excepthook = show_exception
    quiet_libraries()
    try:
        if int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) > 0:
            main(clock)
            return
        with _stage_lock(name):
            main(clock)
            write_json(paths.seconds(name), {name: clock.seconds()})
    except CallwrightError as error:
        _print_to_stderr(f"{name}: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        _print_to_stderr(f"{name}: interrupted; run `dvc repro` to go on")
        sys.exit(130)


def _print_to_stderr(line: str) -> None:
    """Write a line on the terminal; it may hold names and texts from outside."""
    sys.stderr.write(one_line(redacted(line)) + "\n")


def show_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show the traceback of a defect, without the secrets that a library may have put into its message."""
    sys.stderr.write(redacted("".join(traceback.format_exception(kind, error, trace))))


def quiet_libraries() -> None:
    """Keep third-party chatter off the terminal: ours are the lines a person should see."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("MLFLOW_DISABLE_AGENT_HINT", "1")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # it sets its loggers itself when it is imported
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_DISABLE", "1")
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    for library in ("httpx2", "httpx", "alembic", "great_expectations", "mlflow"):
        logging.getLogger(library).setLevel(logging.WARNING)


@contextmanager
def _stage_lock(name: str) -> Iterator[None]:
    """Wait for a stage process that outlived a killed `dvc repro`, so that two never write the same files."""
    from filelock import FileLock, Timeout

    try:
        paths.WORK.mkdir(parents=True, exist_ok=True)
        lock = FileLock(paths.WORK / "stage.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            _print_to_stderr(f"{name}: waiting for another stage of this project to end")
            lock.acquire()
    except OSError as error:
        raise CallwrightError(f"{paths.WORK} cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()
