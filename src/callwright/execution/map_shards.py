"""The one way to work through many problems or chains: a function, mapped over shards of the work.

A shard holds all data that its work needs. Workers share nothing, and a worker keeps nothing between two shards except
what `setup` returned. So the result does not depend on the backend or on the number of workers.

A new backend is a function with the arguments of `map_in_processes`, and a line in `BACKENDS`.
"""

import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any, Literal, TypeVar, overload

from callwright.execution.processes import available_cores, map_in_processes

Backend = Literal["local", "processes"]

LOCAL_S = 2.0
"""Seconds of work after which workers are worth their start, which takes about as long (docs/decisions/0024). So small
work never waits for processes, and large work loses little."""

S = TypeVar("S")  # a shard
R = TypeVar("R")  # a shard's result
C = TypeVar("C")  # what `setup` returns

BACKENDS: dict[Backend, Callable[..., Iterator[Any]] | None] = {"local": None, "processes": map_in_processes}
"""What maps over the shards that are left after `local_s`; None: this process goes on."""


@overload
def map_shards(
    function: Callable[[S], R],
    shards: Iterable[S],
    *,
    setup: None = None,
    backend: Backend = "processes",
    workers: int | None = None,
    local_s: float = LOCAL_S,
) -> Iterator[R]: ...
@overload
def map_shards(
    function: Callable[[C, S], R],
    shards: Iterable[S],
    *,
    setup: Callable[[], C],
    backend: Backend = "processes",
    workers: int | None = None,
    local_s: float = LOCAL_S,
) -> Iterator[R]: ...
def map_shards(
    function: Callable[..., R],
    shards: Iterable[S],
    *,
    setup: Callable[[], Any] | None = None,
    backend: Backend = "processes",
    workers: int | None = None,
    local_s: float = LOCAL_S,
) -> Iterator[R]:
    """The function's result for each shard, in the order of the shards.

    Shards are read while the results are consumed, and few are in flight, so a stream is never in memory as a whole.
    Whoever stops consuming early closes the iterator; that ends the workers at once, as an exception and Ctrl-C do.

    Args:
        function: a top-level function or a `partial` of one. Called as `function(shard)`, or with `setup` as
            `function(setup(), shard)`. It, the shards and the results can be pickled.
        setup: makes what a worker needs for all its shards, such as a model. Called once per process, before the first
            shard there.
        backend: `local`: one shard after another in this process. `processes`: on this machine's cores.
        workers: number of processes; by default one per core that this process may use. With one worker, the backend is
            `local`. By default also if the function or `setup` cannot be pickled, such as tasks put together by hand.
        local_s: `processes` begins in this process, and starts the workers when shards are left after this many
            seconds of work. 0: at once, for shards that take minutes or a `setup` that needs much memory.

    Raises:
        ValueError: there is no such backend.
        TypeError: `workers` is 2 or more, and the tasks were put together by hand. Before any work is done.
        DataError: a worker was killed, most likely because memory ran out; or none could start.
        Exception: whatever the function or `setup` raised; a RuntimeError with its text if it cannot be pickled.

    >>> list(map_shards(sum, [(1, 2), (3, 4)], backend="local"))
    [3, 7]
    """
    if backend not in BACKENDS:
        raise ValueError(f"map_shards: {backend!r} is not a backend; the backends are {', '.join(BACKENDS)}")
    count = workers or available_cores()
    map_elsewhere = BACKENDS[backend] if count > 1 else None
    if map_elsewhere:
        try:
            pickle.dumps((function, setup))  # now, and not after `local_s` seconds of work
        except Exception:  # whatever a class of a user raises
            if workers:
                raise
            map_elsewhere = None
    spent = 0.0
    run: Callable[[S], R] | None = None
    shards = iter(shards)
    for shard in shards:
        if map_elsewhere and spent >= local_s:
            yield from map_elsewhere(function, chain((shard,), shards), setup, count)
            return
        started = time.perf_counter()
        if run is None:
            run = partial(function, setup()) if setup else function
        result = run(shard)
        spent += time.perf_counter() - started
        yield result
