"""A worker process for calls that cannot be bounded in advance: those of SymPy and Z3. Reused, limited, killable.

The owner is the process that started the worker. This module is the owner's side; `worker_process.py` runs in the
worker.

Each process of Callwright has at most one worker. The first call starts it, in about 0.1 s and as long again for each
library that it loads. All threads share it; it runs one call at a time, in the order of the requests. The worker gets
only the few environment variables that it needs, so no API key. It ends with its last owner; the kernel ends a call
that outlives its owner.

Limited: processor seconds (a kernel timer kills the worker, whatever it is doing), wall-clock seconds (the owner kills
it) and address space. A crash of the solver is caught too. If the worker dies, the call that it was running gets an
error that begins with LIMIT_REACHED, and the next call gets a new worker.
Not limited: disk and network, which the solvers do not use; address space, if the kernel has no such limit.

These limits are a safety net, and their effect depends on the machine. The solvers limit their own work to a tenth of
them or less (docs/logic.md).
"""

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from typing import Any, TypeVar

from callwright.errors import CallError
from callwright.functions.guard import LIMIT_REACHED, SOLVER_SECONDS

WALL_CLOCK_FACTOR = 10  # wall-clock seconds per processor second that a call may take, as the machine may be busy
STARTUP_CPU_S = 60.0  # processor seconds for starting and loading a library
POLL_INTERVAL_S = 0.5  # how often the waiting owner checks that the worker is alive

_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_COMMAND = "import sys; from callwright.functions.solvers.worker_process import serve; serve(int(sys.argv[1]))"

F = TypeVar("F", bound=Callable[..., Any])


def in_worker(python: F) -> F:
    """Mark a top-level function that the worker may run. Its arguments and result must be plain data."""
    python.runs_in_worker = True  # type: ignore[attr-defined]
    return python


def run_in_worker(reference: str, *args: Any, seconds: float = SOLVER_SECONDS) -> Any:
    """Run a function that is marked `in_worker` in the worker process, and return its value.

    Args:
        reference: "package.module:name". Only the worker imports the module; the time limit does not include this.
        args: plain data: numbers, strings, tuples, lists, dicts.
        seconds: limit of processor time. The limit of wall-clock time is WALL_CLOCK_FACTOR times as high.

    Raises:
        CallError: execution_error: the function raised a CallError, took too long, needed too much memory, or ended the
            worker.
        RuntimeError: the function raised another exception; this is a defect. The message has the worker's traceback.
    """
    return current_worker().run(reference, args, seconds)


def stop_worker() -> None:
    """End the worker of this process, if there is one. A thread that waits for it gets a CallError at once.

    For a program that was interrupted and must end before the running calls do.
    """
    if worker := _WORKERS.get(os.getpid()):
        worker.stop()


class Worker:
    """The owner's side of a worker process. The first call starts the process, or the first call after its end."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()  # held during a call
        self._queue = threading.Lock()  # held while a thread joins the queue
        self._last_ticket = threading.Lock()  # held by the last thread of the queue until its call is done
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None
        self._loaded: set[str] = set()

    @property
    def pid(self) -> int | None:
        """The worker's process id; None if there is no worker."""
        process = self._process
        return process.pid if process else None

    def run(self, reference: str, args: tuple[Any, ...], seconds: float) -> Any:
        """See `run_in_worker`."""
        # Each thread waits for the ticket of the thread before it, so calls run in the order of the requests. An
        # interrupt in any line releases all locks: the next thread then waits for the running call by `_lock` alone.
        ticket = threading.Lock()
        with ticket:
            with self._queue:
                previous_ticket, self._last_ticket = self._last_ticket, ticket
            with previous_ticket, self._lock:
                outcome, value = self._ask(reference, args, seconds)
        match outcome:
            case "value":
                return value
            case "refused":
                raise CallError("execution_error", value)
            case "limit":
                raise CallError("execution_error", f"{LIMIT_REACHED}: {value}; try something simpler")
            case _:
                raise RuntimeError(f"{reference} failed in the worker:\n{value}")

    def _ask(self, reference: str, args: tuple[Any, ...], seconds: float) -> tuple[str, Any]:
        try:
            self._load(reference.partition(":")[0])
            outcome, value = self._exchange(reference, args, seconds)
        except TimeoutError:
            self._discard()
            return "limit", "it took too long"
        except (EOFError, OSError):
            killed_by = self._discard()  # None if `_load` has already discarded it
            return "limit", "it took too long" if killed_by == signal.SIGPROF else "the solver stopped"
        except BaseException:  # an interrupt: the next call must not receive the reply of this one
            self._discard()
            raise
        if outcome == "out_of_memory":
            self._discard()
            return "limit", "it needed too much memory"
        return outcome, value

    def _exchange(self, reference: str, args: tuple[Any, ...], seconds: float) -> tuple[str, Any]:
        """Send a call and wait for its reply.

        Raises:
            EOFError, OSError: the worker died.
            TimeoutError: there was no reply within the wall-clock limit.
        """
        assert self._connection is not None and self._process is not None
        self._connection.send((reference, args, seconds))
        end = time.monotonic() + seconds * WALL_CLOCK_FACTOR
        while not self._connection.poll(min(POLL_INTERVAL_S, max(0.0, end - time.monotonic()))):
            if self._process.poll() is not None and not self._connection.poll():
                raise EOFError  # `poll` does not notice it if a child process holds the pipe open
            if time.monotonic() >= end:
                raise TimeoutError
        reply: tuple[str, Any] = self._connection.recv()
        return reply

    def _load(self, module: str) -> None:
        """Make the worker import a module. Start a new worker if there is none or if it died while idle.

        Raises:
            EOFError: the worker was killed in the meantime.
            RuntimeError: the module cannot be loaded; this is a defect.
        """
        if self._process is not None and self._process.poll() is not None:
            self._discard()
        if module in self._loaded:
            return
        try:
            if self._connection is None:
                self._start()
            outcome, value = self._exchange(module, (), STARTUP_CPU_S)
        except TimeoutError:
            outcome, value = "raised", "it took too long"
        except (EOFError, OSError):
            if (killed_by := self._discard()) in (signal.SIGKILL, signal.SIGTERM):  # by a user or by the system
                raise EOFError from None
            outcome, value = "raised", f"it ended with {killed_by or 'an error'}"
        if outcome != "value":
            self._discard()
            raise RuntimeError(f"the worker process could not load {module}: {value}")
        self._loaded.add(module)

    def _start(self) -> None:
        connection, worker_end = Pipe()
        with worker_end:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, str(worker_end.fileno())],
                env=_environment(),
                pass_fds=[worker_end.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,  # only the owner handles an interrupt from the keyboard
            )
        self._connection = connection
        atexit.register(self.stop)

    def stop(self) -> None:
        """End the worker process, if there is one, without leaving a zombie. Any thread may call it.

        A running call ends as if the worker had died, and its thread cleans up. In a forked process, this only releases
        the parent's worker.
        """
        if self._owner != os.getpid():  # a thread that exists only in the parent may hold the lock
            self._discard()
            return
        if process := self._process:
            process.kill()
        if self._lock.acquire(blocking=False):
            try:
                self._discard()
            finally:
                self._lock.release()

    def _discard(self) -> int | None:
        """Like `stop`, for the thread that holds the lock. Return the signal that ended the worker, if any."""
        exit_code = 0
        atexit.unregister(self.stop)
        if self._connection is not None:
            self._connection.close()
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            exit_code = self._process.wait()
        self._process, self._connection, self._loaded = None, None, set()
        return -exit_code if exit_code < 0 else None


_WORKERS: dict[int, Worker] = {}  # by process id: a forked process must not use its parent's worker or lock


def current_worker() -> Worker:
    """Return the worker of this process. It is not started yet if no call was made."""
    current_pid = os.getpid()
    if current_pid not in _WORKERS:
        for pid in list(_WORKERS):
            if pid != current_pid and (inherited := _WORKERS.pop(pid, None)):
                inherited.stop()
    return _WORKERS.setdefault(current_pid, Worker())


def _environment() -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**inherited, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "MALLOC_ARENA_MAX": "1"}
