"""One helper process for calls that cannot be bounded beforehand: SymPy's and Z3's. Reused, limited, killable.

Each process of Callwright has at most one worker, started by the first call (about 0.1 s, and as much again for each
library it loads) and shared by all threads, one call at a time. The worker gets no environment variables but the
few it needs, so no key; it ends with its last owner, and a call that outlives its owner is ended by the kernel.

Covered: processor seconds (a timer of the kernel kills the worker, whatever it is in the middle of), wall-clock
seconds (the owner kills it), address space, a crash of the solver. Whatever happens to the worker is the fault of the
call that it was busy with; the next call gets a new one.
Not covered: disk and network, which the engines do not touch; address space on systems whose kernel has no such limit.
"""

import atexit
import importlib
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from typing import Any, TypeVar

from callwright.errors import CallError
from callwright.functions.guard import SOLVER_BYTES, SOLVER_SECONDS

PATIENCE = 10  # wall-clock seconds that the owner grants per processor second: the machine may be busy
STARTUP_SECONDS = 60.0  # wall clock, to start and to load a library

_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_COMMAND = "import sys; from callwright.functions.worker import serve; serve(int(sys.argv[1]))"

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
        seconds: processor time granted to the call; PATIENCE times as much by the clock.

    Raises:
        CallError: execution_error: the call took too long, needed too much memory, or ended the worker.
        RuntimeError: the function raised something else: our defect, with the worker's traceback.
    """
    return _own_worker().run(reference, args, seconds)


class Worker:
    """The owner's side of one worker process. Started by the first call, and again by the first after its death."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None
        self._loaded: set[str] = set()

    @property
    def pid(self) -> int | None:
        """The worker's process id, None while there is no worker."""
        return self._process.pid if self._process else None

    def run(self, reference: str, args: tuple[Any, ...], seconds: float) -> Any:
        """See `run_in_worker`."""
        with self._lock:
            outcome, value = self._ask(reference, args, seconds)
        match outcome:
            case "value":
                return value
            case "refused":
                raise CallError("execution_error", value)
            case _:
                raise RuntimeError(f"{reference} failed in the worker:\n{value}")

    def _ask(self, reference: str, args: tuple[Any, ...], seconds: float) -> tuple[str, Any]:
        try:
            self._load(reference.partition(":")[0])
            assert self._connection is not None
            self._connection.send((reference, args, seconds))
            if not self._connection.poll(seconds * PATIENCE):
                self.stop()
                return "refused", _too_slow(seconds)
            outcome, value = self._connection.recv()
        except (EOFError, OSError):
            return "refused", self._bury(seconds)
        except BaseException:  # an interrupt: the reply of the abandoned call must not be taken for the next one's
            self.stop()
            raise
        if outcome == "full":
            self.stop()
            return "refused", "this needed too much memory; try something smaller"
        return outcome, value

    def _load(self, module: str) -> None:
        """Have the worker import a module, in a new process if there is none or it died while idle."""
        if self._process is not None and self._process.poll() is not None:
            self.stop()
        if module in self._loaded:
            return
        try:
            connection = self._connection or self._start()
            connection.send((module, (), STARTUP_SECONDS))
            outcome, value = connection.recv() if connection.poll(STARTUP_SECONDS) else ("raised", "it took too long")
        except (EOFError, OSError):
            outcome, value = "raised", "it ended"
        if outcome != "value":
            self.stop()
            raise RuntimeError(f"the worker process could not load {module}: {value}")
        self._loaded.add(module)

    def _start(self) -> "Connection[Any, Any]":
        ours, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, str(theirs.fileno())],
                env=_environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,  # an interrupt from the keyboard is its owner's business
            )
        self._connection = ours
        atexit.register(self.stop)
        return ours

    def _bury(self, seconds: float) -> str:
        code = self._process.wait() if self._process else 0
        self.stop()
        return _too_slow(seconds) if code == -signal.SIGPROF else "the solver stopped; try something simpler"

    def stop(self) -> None:
        """End the worker process, if there is one, and leave no zombie. In a forked process, let go of it."""
        atexit.unregister(self.stop)
        if self._connection is not None:
            self._connection.close()
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.wait()
        self._process, self._connection, self._loaded = None, None, set()


_WORKERS: dict[int, Worker] = {}  # by process id: a forked process must not use its parent's worker or its lock


def _own_worker() -> Worker:
    own = os.getpid()
    if own not in _WORKERS:
        for pid in list(_WORKERS):
            if pid != own and (inherited := _WORKERS.pop(pid, None)):
                inherited.stop()
    return _WORKERS.setdefault(own, Worker())


def _too_slow(seconds: float) -> str:
    return f"this took longer than {seconds:g} s; try something simpler"


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**kept, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "MALLOC_ARENA_MAX": "1"}


def serve(descriptor: int) -> None:
    """The worker's side: answer calls until the owner is gone."""
    _limit_memory()
    connection = Connection(descriptor)
    while True:
        try:
            reference, args, seconds = connection.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, seconds)  # nobody handles SIGPROF: the kernel kills
        reply = _answer(reference, args)
        signal.setitimer(signal.ITIMER_PROF, 0)
        try:
            connection.send(reply)
        except Exception:  # the result is not plain data
            connection.send(("raised", traceback.format_exc()))


def _answer(reference: str, args: tuple[Any, ...]) -> tuple[str, Any]:
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
        return "refused", "this is nested too deeply; try something simpler"
    except Exception:
        return "raised", traceback.format_exc()


def _limit_memory() -> None:
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_AS, (SOLVER_BYTES, SOLVER_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):  # this kernel has no such limit
        return
