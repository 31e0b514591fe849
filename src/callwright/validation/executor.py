"""The one seam through which work over chunks of data goes: here processes of this machine, elsewhere what you like.

A chunk carries all that its work needs, as plain data. Nothing is shared, and no worker keeps anything between chunks,
so the same function can be mapped over the machines of a cluster.
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

MAX_CHUNKS_IN_PROCESS = 8  # chunks that are done here sooner than a process starts
CHUNKS_IN_FLIGHT_PER_WORKER = (
    4  # chunks per process that wait or are worked on: bounds the memory, keeps the processes busy
)

C = TypeVar("C")
R = TypeVar("R")


def map_chunks(
    function: Callable[[C], R],
    chunks: Iterable[C],
    setup: Callable[..., Any],
    setup_args: tuple[Any, ...] = (),
    workers: int | None = None,
) -> Iterator[R]:
    """What a function makes of each chunk, in the chunks' order; computed by processes when there are many.

    Chunks are taken as results are consumed, so that a stream stays a stream.

    Args:
        function: a top-level function; it, the chunks and its results can be pickled.
        setup: called once in every process before its first chunk, with `setup_args`.
        workers: processes; by default one per core that this process may use.

    Raises:
        DataError: a process was ended from outside, for lack of memory most likely.
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
            "a process that checked chains was ended from outside, most likely for lack of memory; run again with more"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker(setup: Callable[..., Any], setup_args: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt from the keyboard is the owner's business
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    setup(*setup_args)


def _exit_with_parent() -> None:
    """A killed owner cannot end its processes."""
    owner = multiprocessing.parent_process()
    if owner is not None:
        wait([owner.sentinel])
        os._exit(1)
