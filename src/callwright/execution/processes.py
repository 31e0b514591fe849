"""Map a function over shards in worker processes of this machine.

The pool is the standard library's; docs/decisions/0024 compares it with others. Shards and results are pickled here and
not by the pool: what cannot be pickled is then an error of its shard, while the pool would call itself broken.
"""

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

from callwright.errors import DataError

END_S = 5.0  # seconds that workers get to end by themselves, after the last result
IN_FLIGHT_PER_WORKER = 4  # shards that wait or run, per worker: keeps the workers busy and limits the memory

# A worker uses one core. Libraries with threads of their own would start as many as there are cores, in every worker.
_THREADS_ENV = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container: "<microseconds or max> <period in microseconds>"

_KILLED = "a worker process was killed, most likely because memory ran out; run again with more memory"
_NOT_STARTED = (
    "the worker processes could not start: each imports the running script, so put this call into a file, under "
    '`if __name__ == "__main__":`, or use workers=1'
)

S = TypeVar("S")
R = TypeVar("R")

_open_writers: set["Connection[Any, Any]"] = set()  # closing one ends the workers of its pool


def _stop_workers() -> None:
    for writer in tuple(_open_writers):
        writer.close()


# An interrupt may reach the consumer while the iterator is suspended. Then nothing closes the iterator, and at exit the
# standard library would wait for running shards. What is registered last runs first, and `atexit` runs too late.
threading._register_atexit(_stop_workers)  # type: ignore[attr-defined]


def available_cores() -> int:
    """The cores that this process may use: those of its affinity, or fewer by its container's quota; at least 1."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    with suppress(OSError, ValueError):  # no quota
        quota, period = map(int, _CPU_QUOTA.read_text().split())
        cores = min(cores, -(-quota // period))
    return max(cores, 1)


def map_in_processes(
    function: Callable[..., R], shards: Iterable[S], setup: Callable[[], Any] | None, workers: int
) -> Iterator[R]:
    """See `map_shards`."""
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that another thread holds
    stop_reader, stop_writer = context.Pipe(duplex=False)
    started_reader, started_writer = context.Pipe(duplex=False)
    work = pickle.dumps((function, setup))
    pool = ProcessPoolExecutor(
        workers, context, initializer=_start_worker, initargs=(stop_reader, started_writer, work)
    )
    in_flight: deque[Future[bytes]] = deque()
    _open_writers.add(stop_writer)
    try:
        for shard in shards:
            in_flight.append(_submit(pool, pickle.dumps(shard)))
            if len(in_flight) >= IN_FLIGHT_PER_WORKER * workers:
                yield pickle.loads(in_flight.popleft().result())
        while in_flight:
            yield pickle.loads(in_flight.popleft().result())
        _await_end(pool, stop_writer)
    except BrokenProcessPool:
        raise DataError(_KILLED if started_reader.poll() else _NOT_STARTED) from None
    finally:
        stop_writer.close()  # ends workers that still run; a shard may take minutes
        _open_writers.discard(stop_writer)
        pool.shutdown(cancel_futures=True)
        for connection in (stop_reader, started_reader, started_writer):
            connection.close()


def _await_end(pool: ProcessPoolExecutor, stop_writer: "Connection[Any, Any]") -> None:
    """Let the workers end by themselves, so that what they printed is not lost; end those that do not.

    A thread that a user's function started, and that is no daemon, would keep its worker alive.
    """
    timer = threading.Timer(END_S, stop_writer.close)
    timer.daemon = True
    timer.start()
    try:
        pool.shutdown()
    finally:
        timer.cancel()
        timer.join()  # only one thread at a time may close the connection


def _submit(pool: ProcessPoolExecutor, shard: bytes) -> "Future[bytes]":
    """Submit a shard. The first one starts the workers, which inherit that SIGINT is blocked.

    This process handles Ctrl-C. A worker that got it while it starts would print a traceback.
    """
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(_run_shard, shard)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


class _Worker:
    """What a worker process keeps between shards."""

    work = b""  # function and setup, pickled
    function: Callable[[Any], Any] | None = None  # set by the first shard, so that an error of `setup` is that shard's


def _start_worker(stop: "Connection[Any, Any]", started: "Connection[Any, Any]", work: bytes) -> None:
    with suppress(BrokenPipeError):  # the parent was killed
        started.send_bytes(b"started")
    for name in _THREADS_ENV:
        os.environ.setdefault(name, "1")
    threading.Thread(target=_exit_on_stop, args=(stop,), daemon=True).start()
    _Worker.work = work


def _exit_on_stop(stop: "Connection[Any, Any]") -> None:
    """End this worker when the pipe closes: its parent stopped early, or was killed and cannot end its workers."""
    wait([stop])
    os._exit(1)


def _run_shard(shard: bytes) -> bytes:
    try:
        if _Worker.function is None:
            function, setup = pickle.loads(_Worker.work)
            _Worker.function = partial(function, setup()) if setup else function
        return pickle.dumps(_Worker.function(pickle.loads(shard)))
    except Exception as error:
        if _can_be_pickled(error):
            raise
        text = "".join(traceback.format_exception(error))
        raise RuntimeError(f"{type(error).__name__}: {error}\n{text}") from None


def _can_be_pickled(error: Exception) -> bool:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever a class of a user or a library does
        return False
    return True
