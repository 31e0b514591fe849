"""One helper process for calls that cannot be bounded beforehand: SymPy's and Z3's. Reused, limited, killable.

This is the owner's side; `worker_process.py` is what runs in the worker.

Each process of Callwright has at most one worker, started by the first call (about 0.1 s, and as much again for each
library it loads) and shared by all threads, one call at a time, in the order in which they asked. The worker gets no
environment variables but the few it needs, so no key; it ends with its last owner, and a call that outlives its owner
is ended by the kernel.

Covered: processor seconds (a timer of the kernel kills the worker, whatever it is in the middle of), wall-clock
seconds (the owner kills it), address space, a crash of the solver. Whatever happens to the worker is the fault of the
call that it was busy with, whose message begins with LIMIT_REACHED; the next call gets a new worker.
Not covered: disk and network, which the engines do not touch; address space on systems whose kernel has no such limit.

These limits are a backstop, and where they strike depends on the machine. The engines bound their own work, ten times
and more below them (docs/logic.md).
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

WALL_CLOCK_FACTOR = 10  # wall-clock seconds that the owner grants per processor second: the machine may be busy
STARTUP_SECONDS = 60.0  # processor time, to start and to load a library; WALL_CLOCK_FACTOR times as much by the clock
POLL_INTERVAL_S = 0.5  # how often a waiting owner checks that the worker is alive

_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_COMMAND = "import sys; from callwright.functions.solvers.worker_process import serve; serve(int(sys.argv[1]))"

F = TypeVar("F", bound=Callable[..., Any])


def in_worker(python: F) -> F:
    """Mark a top-level function as one that the worker may run; its arguments and result are plain data."""
    python.runs_in_worker = True  # type: ignore[attr-defined]
    return python


def run_in_worker(reference: str, *args: Any, seconds: float = SOLVER_SECONDS) -> Any:
    """The value of a function marked `in_worker`, run in the worker process.

    Args:
        reference: "package.module:name". The module is imported by the worker alone, outside the time limit.
        args: plain data: numbers, strings, tuples, lists, dicts.
        seconds: processor time granted to the call; WALL_CLOCK_FACTOR times as much by the clock.

    Raises:
        CallError: execution_error: the call took too long, needed too much memory, or ended the worker.
        RuntimeError: the function raised something else: our defect, with the worker's traceback.
    """
    return current_worker().run(reference, args, seconds)


def stop_worker() -> None:
    """End this process's worker, if it has one: a thread that waits for it gets its CallError at once.

    For a program that was interrupted and wants to end before the calls in progress do.
    """
    if worker := _WORKERS.get(os.getpid()):
        worker.stop()


class Worker:
    """The owner's side of one worker process. Started by the first call, and again by the first after its death."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()  # held during a call
        self._queue = threading.Lock()  # held to take a place in the queue
        self._last_ticket = threading.Lock()  # held by the last thread in the queue until its call is done
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None
        self._loaded: set[str] = set()

    @property
    def pid(self) -> int | None:
        """The worker's process id, None while there is no worker."""
        process = self._process
        return process.pid if process else None

    def run(self, reference: str, args: tuple[Any, ...], seconds: float) -> Any:
        """See `run_in_worker`."""
        # Each thread waits for the one before it, so all get their turn in the order in which they asked. An interrupt
        # in any line releases what was taken: the next thread then waits for the call in progress by the lock alone.
        turn = threading.Lock()
        with turn:
            with self._queue:
                previous_turn, self._last_ticket = self._last_ticket, turn
            with previous_turn, self._lock:
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
            killed_by = self._discard()  # None where `_load` has discarded it
            return "limit", "it took too long" if killed_by == signal.SIGPROF else "the solver stopped"
        except BaseException:  # an interrupt: the reply of the abandoned call must not be taken for the next one's
            self._discard()
            raise
        if outcome == "full":
            self._discard()
            return "limit", "it needed too much memory"
        return outcome, value

    def _exchange(self, reference: str, args: tuple[Any, ...], seconds: float) -> tuple[str, Any]:
        """Send a call and wait for its reply.

        Raises:
            EOFError, OSError: the worker died.
            TimeoutError: no reply came within the wall-clock seconds.
        """
        assert self._connection is not None and self._process is not None
        self._connection.send((reference, args, seconds))
        end = time.monotonic() + seconds * WALL_CLOCK_FACTOR
        while not self._connection.poll(min(POLL_INTERVAL_S, max(0.0, end - time.monotonic()))):
            if self._process.poll() is not None and not self._connection.poll():
                raise EOFError  # a child of ours may hold the pipe open
            if time.monotonic() >= end:
                raise TimeoutError
        reply: tuple[str, Any] = self._connection.recv()
        return reply

    def _load(self, module: str) -> None:
        """Have the worker import a module, in a new process if there is none or it died while idle.

        Raises:
            EOFError: somebody ended the worker meanwhile.
            RuntimeError: the module cannot be loaded: our defect.
        """
        if self._process is not None and self._process.poll() is not None:
            self._discard()
        if module in self._loaded:
            return
        try:
            if self._connection is None:
                self._start()
            outcome, value = self._exchange(module, (), STARTUP_SECONDS)
        except TimeoutError:
            outcome, value = "raised", "it took too long"
        except (EOFError, OSError):
            if (killed_by := self._discard()) in (signal.SIGKILL, signal.SIGTERM):  # by a person or by the system
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
                process_group=0,  # an interrupt from the keyboard is its owner's business
            )
        self._connection = connection
        atexit.register(self.stop)

    def stop(self) -> None:
        """End the worker process, if there is one, and leave no zombie. Any thread may call it.

        A call in progress ends as if the worker had died: its thread cleans up. In a forked process, let go of the
        parent's worker.
        """
        if self._owner != os.getpid():  # the parent's lock may be held by a thread that is not here
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
        """As `stop`, for the thread whose turn it is. Returns the signal that had ended the worker before, if any."""
        code = 0
        atexit.unregister(self.stop)
        if self._connection is not None:
            self._connection.close()
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            code = self._process.wait()
        self._process, self._connection, self._loaded = None, None, set()
        return -code if code < 0 else None


_WORKERS: dict[int, Worker] = {}  # by process id: a forked process must not use its parent's worker or its lock


def current_worker() -> Worker:
    own = os.getpid()
    if own not in _WORKERS:
        for pid in list(_WORKERS):
            if pid != own and (inherited := _WORKERS.pop(pid, None)):
                inherited.stop()
    return _WORKERS.setdefault(own, Worker())


def _environment() -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**inherited, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "MALLOC_ARENA_MAX": "1"}
