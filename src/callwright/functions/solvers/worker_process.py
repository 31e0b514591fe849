"""The worker's side of `worker.py`: answers calls until its owner is gone."""

import importlib
import signal
import traceback
from multiprocessing.connection import Connection
from typing import Any

from callwright.errors import CallError
from callwright.functions.guard import SOLVER_BYTES


def serve(descriptor: int) -> None:
    """Answer calls until the owner is gone.

    Args:
        descriptor: of the pipe to the owner. A call is `(reference, args, seconds)`, its reply `(outcome, value)`.
    """
    _limit_memory()
    connection = Connection(descriptor)
    while True:
        try:
            reference, args, seconds = connection.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, seconds)  # nobody handles SIGPROF: the kernel kills
        reply = _run_call(reference, args)
        signal.setitimer(signal.ITIMER_PROF, 0)
        try:
            connection.send(reply)
        except Exception:  # the result is not plain data
            connection.send(("raised", traceback.format_exc()))


def _run_call(reference: str, args: tuple[Any, ...]) -> tuple[str, Any]:
    module, _, name = reference.partition(":")
    try:
        loaded = importlib.import_module(module)
        if not name:
            return "value", None
        python = getattr(loaded, name, None)
        if not getattr(python, "runs_in_worker", False):
            return "raised", f"{reference} is not marked in_worker"
        return "value", python(*args)  # type: ignore[misc]
    except CallError as error:
        return "refused", error.message
    except MemoryError:
        return "full", None
    except RecursionError:
        return "limit", "it is nested too deeply"
    except Exception:
        return "raised", traceback.format_exc()


def _limit_memory() -> None:
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_AS, (SOLVER_BYTES, SOLVER_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):  # this kernel has no such limit
        return
