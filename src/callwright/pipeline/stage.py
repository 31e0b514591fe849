"""What all stages share: one run at a time, the wall clock, and one clear line for an error."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from callwright import paths
from callwright.errors import CallwrightError, DataError
from callwright.params import Params
from callwright.pipeline.dvc_yaml import FILE as DVC_YAML
from callwright.pipeline.logs import log, log_to_stderr, quiet_libraries
from callwright.progress import show_progress
from callwright.reports.seconds import save_seconds


@dataclass(slots=True)
class Clock:
    """Measures a stage's wall-clock time."""

    started: float = field(default_factory=time.perf_counter)

    def seconds(self) -> float:
        """Seconds since the stage started."""
        return round(time.perf_counter() - self.started, 2)


def run_stage(name: str, run: Callable[[Clock], None]) -> None:
    """Run a stage: exit 1 with one line on a user's mistake; write its seconds on success.

    In a distributed launch, processes of a rank above 0 (`RANK`, or else `LOCAL_RANK`) only call `run`;
    rank 0 holds the lock and writes the seconds.
    """
    clock = Clock()
    log_to_stderr()
    quiet_libraries()
    try:
        if int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) > 0:
            run(clock)
            return
        with _stage_lock(name):
            _warn_of_unlisted_modules(name)
            with show_progress(name):
                run(clock)
            save_seconds(name, clock.seconds())
    except CallwrightError as error:
        log.error("%s: %s", name, error)
        sys.exit(1)
    except KeyboardInterrupt:
        log.error("%s: interrupted; run `dvc repro` to continue", name)
        sys.exit(130)


def _warn_of_unlisted_modules(name: str) -> None:
    """Warn if DVC would not detect a change in a user's own module, because dvc.yaml does not list it."""
    if not DVC_YAML.is_file() or not (functions := Params.load().functions):
        return
    from callwright.pipeline.deps import missing_user_files

    with suppress(DataError):  # a module that cannot be parsed is reported where it is imported
        if files := missing_user_files(name, functions):
            log.warning("%s: warning: %s does not list %s: run make deps", name, DVC_YAML, ", ".join(files))


@contextmanager
def _stage_lock(name: str) -> Iterator[None]:
    """Wait for a stage process that outlived a killed `dvc repro`, so that two processes never write the same files."""
    from filelock import FileLock, Timeout

    try:
        paths.WORK.mkdir(parents=True, exist_ok=True)
        lock = FileLock(paths.WORK / "stage.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.warning("%s: waiting for another stage of this project to end", name)
            lock.acquire()
    except OSError as error:
        raise CallwrightError(f"{paths.WORK} cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()
