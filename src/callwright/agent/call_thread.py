"""The thread in which replies are read and calls executed, so that no call blocks the event loop.

A function or a solver may take seconds. Meanwhile requests, time limits, budgets and batches of other models continue.
Other calls wait: this thread runs all calls of the process one at a time, so that a user's functions need no locks.

The thread is a daemon: a call that never returns does not keep an interrupted process from ending.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class CallThread:
    """Runs functions one at a time in a separate thread, which the first call starts."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._lock = threading.Lock()
        self._owner_pid = 0  # the process that started the thread; a forked process has no copy of the thread

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function(*args)` in the thread and return its result.

        A caller that is cancelled stops waiting at once. If the function has begun, it still runs to its end.

        Raises:
            Exception: whatever the function raised.
            RuntimeError: the function raised StopIteration, which a future does not accept, or something that is not an
                Exception, such as SystemExit, which would end the event loop.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if self._owner_pid != os.getpid():
            self._start()
        self._jobs.put((loop, future, function, args))
        return await future

    def _start(self) -> None:
        with self._lock:
            if self._owner_pid == os.getpid():
                return
            self._jobs = SimpleQueue()
            threading.Thread(target=_run_jobs, args=(self._jobs,), name="callwright-calls", daemon=True).start()
            self._owner_pid = os.getpid()


_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]


def _run_jobs(jobs: "SimpleQueue[_Job]") -> None:
    while True:
        _run_job(*jobs.get())


def _run_job(
    loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Any]", function: Callable[..., Any], args: tuple[Any, ...]
) -> None:
    if future.cancelled():
        return
    result: Any = None
    error: Exception | None = None
    try:
        result = function(*args)
    except StopIteration as raised:
        error = _as_runtime_error(raised)
    except Exception as raised:  # re-raised in the caller
        error = raised
    except BaseException as raised:
        error = _as_runtime_error(raised)
    try:
        loop.call_soon_threadsafe(_resolve_future, future, result, error)
    except RuntimeError:  # the event loop was closed meanwhile, so no caller waits
        return


def _as_runtime_error(raised: BaseException) -> RuntimeError:
    error = RuntimeError(f"a function raised {type(raised).__name__}")
    error.__cause__ = raised
    return error


def _resolve_future(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


CALL_THREAD = CallThread()
