"""Map a function over chunks of data, in worker processes of this machine.

A chunk contains all data that its work needs. Workers share nothing and keep nothing between chunks, so the same
function can be mapped over the machines of a cluster.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing.connection import wait
from typing import Any, TypeVar

from callwright.errors import DataError

MAX_CHUNKS_IN_PROCESS = 8  # this many chunks are faster in this process than starting others
CHUNKS_IN_FLIGHT_PER_WORKER = 4  # chunks that wait or run, per worker: keeps the workers busy and limits the memory

C = TypeVar("C")  # a chunk
R = TypeVar("R")  # a chunk's result


def map_chunks(
    function: Callable[[C], R],
    chunks: Iterable[C],
    setup: Callable[..., Any],
    setup_args: tuple[Any, ...] = (),
    workers: int | None = None,
) -> Iterator[R]:
    """The function's result for each chunk, in the order of the chunks; more than a few chunks use worker processes.

    Chunks are read while the results are consumed, so a stream is never in memory as a whole.

    Args:
        function: a top-level function; the function, the chunks and the results can be pickled.
        setup: called with `setup_args`, once in every process before its first chunk.
        workers: number of processes; by default one per core that this process may use.

    Raises:
        DataError: a worker was killed, most likely because memory ran out.
        Exception: whatever the function raised.
    """
    workers = workers or len(os.sched_getaffinity(0))
    chunks = iter(chunks)
    first = list(islice(chunks, MAX_CHUNKS_IN_PROCESS + 1))
    if workers == 1 or len(first) <= MAX_CHUNKS_IN_PROCESS:
        setup(*setup_args)
        yield from map(function, chain(first, chunks))
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(setup, setup_args))
    waiting: deque[Future[R]] = deque()
    try:
        for chunk in chain(first, chunks):
            waiting.append(pool.submit(function, chunk))
            if len(waiting) >= CHUNKS_IN_FLIGHT_PER_WORKER * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise DataError(
            "a process that checked chains was killed, most likely because memory ran out; run again with more memory"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker(setup: Callable[..., Any], setup_args: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles Ctrl-C
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    setup(*setup_args)


def _exit_with_parent() -> None:
    """End this worker when its parent ends: a killed parent cannot end its workers."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
