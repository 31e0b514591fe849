"""The one thread in which replies are read and calls executed, so that none of them stops the event loop.

A function or a solver may take seconds. Meanwhile requests, time limits, budgets and other models' batches go on; other
calls wait, since all of a process run here, one at a time: a user's functions need no locks.

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
        self._owner = 0  # the process that has the thread: a forked one has none

    async def run(self, python: Callable[..., T], *args: Any) -> T:
        """The function's result, or whatever it raises; RuntimeError in place of StopIteration and of no Exception.

        A caller that is cancelled stops waiting at once; the function itself goes on to its end, unless it has yet to
        begin.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        if self._owner != os.getpid():
            self._start()
        self._jobs.put((loop, done, python, args))
        return await done

    def _start(self) -> None:
        with self._lock:
            if self._owner == os.getpid():
                return
            self._jobs = SimpleQueue()
            threading.Thread(target=_work, args=(self._jobs,), name="callwright-calls", daemon=True).start()
            self._owner = os.getpid()


_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]


def _work(jobs: "SimpleQueue[_Job]") -> None:
    while True:
        _run(*jobs.get())


def _run(
    loop: asyncio.AbstractEventLoop, done: "asyncio.Future[Any]", python: Callable[..., Any], args: tuple[Any, ...]
) -> None:
    if done.cancelled():
        return
    result: Any = None
    error: Exception | None = None
    try:
        result = python(*args)
    except StopIteration as raised:  # a future takes any exception but this one
        error = _unusual(raised)
    except Exception as raised:  # raised again where it is awaited
        error = raised
    except BaseException as raised:  # such as SystemExit: awaited, it would end the event loop
        error = _unusual(raised)
    try:
        loop.call_soon_threadsafe(_settle, done, result, error)
    except RuntimeError:  # the loop was closed meanwhile: nobody waits any more
        return


def _unusual(raised: BaseException) -> RuntimeError:
    error = RuntimeError(f"a function raised {type(raised).__name__}")
    error.__cause__ = raised
    return error


def _settle(done: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


CALLS = CallThread()
