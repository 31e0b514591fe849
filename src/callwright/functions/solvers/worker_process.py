"""The worker's side of `worker.py`: runs calls until the owner closes the pipe."""

import importlib
import signal
import traceback
from multiprocessing.connection import Connection
from typing import Any

from callwright.errors import CallError
from callwright.functions.guard import SOLVER_BYTES


def serve(pipe_fd: int) -> None:
    """Run calls until the owner closes the pipe.

    Args:
        pipe_fd: file descriptor of the pipe to the owner. A call is `(reference, args, seconds)`, a reply is
            `(outcome, value)`.
    """
    _limit_memory()
    connection = Connection(pipe_fd)
    while True:
        try:
            reference, args, seconds = connection.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, seconds)  # SIGPROF has no handler, so the kernel kills this process
        reply = _run_call(reference, args)
        signal.setitimer(signal.ITIMER_PROF, 0)
        try:
            connection.send(reply)
        except Exception:  # the result cannot be pickled
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
        return "out_of_memory", None
    except RecursionError:
        return "limit", "it is nested too deeply"
    except Exception:
        return "raised", traceback.format_exc()


def _limit_memory() -> None:
    import resource  # does not exist on Windows

    try:
        resource.setrlimit(resource.RLIMIT_AS, (SOLVER_BYTES, SOLVER_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):  # the kernel has no such limit
        return
