"""The one thread in which replies are read and calls executed, so that none of them stops the event loop.

A function or a solver may take seconds. Meanwhile requests, time limits, budgets and other models' batches go on. Other
calls wait, because this thread runs all calls of the process one at a time. So a user's functions need no locks.

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
    """Runs functions one after the other in a thread of its own, which the first call starts."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._lock = threading.Lock()
        self._owner_pid = 0  # id of the process that started the thread; a forked process has no thread

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """The function's result, or the exception that it raises. StopIteration, and what is not an Exception, such as
        SystemExit, becomes a RuntimeError.

        A caller that is cancelled stops waiting at once. The function still runs to its end if it has begun.
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
    except StopIteration as raised:  # a future does not accept StopIteration
        error = _as_runtime_error(raised)
    except Exception as raised:  # raised again where it is awaited
        error = raised
    except BaseException as raised:  # such as SystemExit: awaited, it would end the event loop
        error = _as_runtime_error(raised)
    try:
        loop.call_soon_threadsafe(_resolve_future, future, result, error)
    except RuntimeError:  # the loop was closed meanwhile, so nobody waits
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
