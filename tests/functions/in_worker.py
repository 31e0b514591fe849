"""Functions for the worker's tests, run in the worker alone."""

import os
import signal
import time

from callwright.errors import CallError
from callwright.functions.worker import in_worker


@in_worker
def echo(value: object) -> object:
    return value


@in_worker
def own_pid() -> int:
    return os.getpid()


@in_worker
def environment() -> dict[str, str]:
    return dict(os.environ)


@in_worker
def spin() -> None:
    while True:
        pass


@in_worker
def spin_in_c() -> int:
    return 7 ** (7**9) % 10  # holds the interpreter's lock for minutes


@in_worker
def sleep(seconds: float) -> None:
    time.sleep(seconds)


@in_worker
def fill_memory() -> int:
    return len(bytearray(2**30))


@in_worker
def die(by: int) -> None:
    os.kill(os.getpid(), by)
    signal.pause()


@in_worker
def refuse() -> None:
    raise CallError("execution_error", "not this")


@in_worker
def fail() -> None:
    raise KeyError("a defect")


@in_worker
def unsendable() -> object:
    return lambda: None


def not_marked() -> int:
    return 1
