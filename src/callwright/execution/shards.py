"""Divide problems and chains into shards.

Two kinds of division: `split_into_shards` puts all work of a problem into the shard that its id names, for files and
journals by shard. `chunks_of` cuts a stream into chunks of equal size, for work that is only mapped over.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from callwright.records import Chain, CheckedChain, Problem
from callwright.storage.jsonl import dumps, loads

T = TypeVar("T")
C = TypeVar("C", Chain, CheckedChain)


def shard_of(problem_id: str, shards: int) -> int:
    """The shard of a problem and of its chains, from 0 to shards - 1: the same in every process and version of Python.

    The first 8 bytes of the id's SHA-256 as a big-endian number, modulo the number of shards.

    >>> [shard_of(f"problem-{number}", 4) for number in range(6)]
    [1, 1, 3, 0, 0, 2]
    """
    digest = hashlib.sha256(problem_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % shards


def split_into_shards(items: Iterable[T], shards: int, problem_id: Callable[[T], str]) -> list[list[T]]:
    """The items of each shard, in their order; a shard may be empty."""
    split: list[list[T]] = [[] for _ in range(shards)]
    for item in items:
        split[shard_of(problem_id(item), shards)].append(item)
    return split


def chunks_of(items: Iterable[T], size: int, size_of: Callable[[T], int] = lambda _: 1) -> Iterator[tuple[T, ...]]:
    """The items in chunks, in their order. A chunk ends with the item that makes it `size` large or larger.

    Args:
        size_of: how much an item counts; by default each counts 1.

    >>> list(chunks_of([1, 2, 3], 2))
    [(1, 2), (3,)]
    """
    chunk: list[T] = []
    total = 0
    for item in items:
        chunk.append(item)
        total += size_of(item)
        if total >= size:
            yield tuple(chunk)
            chunk, total = [], 0
    if chunk:
        yield tuple(chunk)


@dataclass(frozen=True)
class ChainShard(Generic[C]):
    """Chains and their problems.

    It is pickled as JSON: pickling frozen records takes five times as long, and so longer than much work on them.
    """

    problems: tuple[Problem, ...]
    chains: tuple[C, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        kind = type(self.chains[0]) if self.chains else Chain
        return _read_shard, (kind, tuple(map(dumps, self.problems)), tuple(map(dumps, self.chains)))


def _read_shard(kind: type[Any], problems: Iterable[bytes], chains: Iterable[bytes]) -> ChainShard[Any]:
    return ChainShard(
        tuple(loads(Problem, line, "a problem") for line in problems),
        tuple(loads(kind, line, "a chain") for line in chains),
    )


def chain_shards(chains: Iterable[Chain], problems: Mapping[str, Problem], size: int) -> Iterator[ChainShard[Chain]]:
    """Chains in shards of `size`, in their order, each with the problems of its chains.

    Raises:
        KeyError: a chain's problem is not in `problems`.
    """
    for chunk in chunks_of(chains, size):
        ids = dict.fromkeys(chain.problem_id for chain in chunk)
        yield ChainShard(tuple(problems[problem_id] for problem_id in ids), chunk)
