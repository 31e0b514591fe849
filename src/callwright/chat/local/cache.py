"""Keys and values of a conversation's earlier turns, for its next turn."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

KeyValues = tuple[Tensor, Tensor]
"""Keys and values of all layers, each (layers, key heads, tokens, head size)."""


@dataclass(frozen=True, slots=True)
class CachedSequence:
    """Keys and values of a finished sequence.

    Attributes:
        ids: all tokens of the sequence.
        start: number of its first tokens, the shared prefix, whose keys and values are not in `states`.
    """

    ids: tuple[int, ...]
    start: int
    states: KeyValues

    @property
    def nbytes(self) -> int:
        """Size of the keys and values in bytes."""
        return sum(states.nbytes for states in self.states)

    def states_between(self, start: int, end: int) -> KeyValues:
        """Views of the keys and values of the tokens [start, end)."""
        keys, values = (states[:, :, start - self.start : end - self.start] for states in self.states)
        return keys, values


CachedMatch = tuple[CachedSequence | None, int]
"""A cached sequence and how many of its tokens a request shares; (None, prefix length) if none is of use."""


class SequenceCache:
    """The latest finished sequences. A conversation that continues begins with the tokens of one of them.

    Args:
        max_bytes: limit for the keys and values of all sequences together.

    Attributes:
        nbytes: size of all keys and values now.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._sorted_ids: list[tuple[int, ...]] = []  # the longest common prefix is that of a neighbour
        self._by_ids: dict[tuple[int, ...], CachedSequence] = {}  # oldest first
        self.nbytes = 0

    def add(self, sequence: CachedSequence) -> None:
        """Add a sequence unless it alone is too large, and evict the oldest ones while the total is too large.

        Sequences that it continues are evicted, too, because it has their keys and values.
        """
        if sequence.nbytes > self._max_bytes:
            return
        if sequence.ids in self._by_ids:
            self._evict(sequence.ids)
        index = bisect_left(self._sorted_ids, sequence.ids)
        while index and self._is_contained(self._sorted_ids[index - 1], sequence):
            index -= 1
            self._evict(self._sorted_ids[index])
        insort(self._sorted_ids, sequence.ids)
        self._by_ids[sequence.ids] = sequence
        self.nbytes += sequence.nbytes
        while self.nbytes > self._max_bytes:
            self._evict(next(iter(self._by_ids)))

    def longest_match(self, ids: tuple[int, ...], start: int) -> CachedMatch:
        """The sequence that shares the most tokens with `ids`, and how many it shares.

        Args:
            start: length of the shared prefix. A sequence is of use only if it shares more tokens, and has the keys and
                values of all tokens after the prefix.

        Returns:
            (None, start) if no sequence is of use.
        """
        index = bisect_left(self._sorted_ids, ids)
        best, length = None, start
        for neighbour in self._sorted_ids[max(index - 1, 0) : index + 1]:
            shared = common_prefix_length(neighbour, ids)
            if shared > length and self._by_ids[neighbour].start <= start:
                best, length = self._by_ids[neighbour], shared
        return best, length

    def _is_contained(self, ids: tuple[int, ...], sequence: CachedSequence) -> bool:
        return ids == sequence.ids[: len(ids)] and sequence.start <= self._by_ids[ids].start

    def _evict(self, ids: tuple[int, ...]) -> None:
        sequence = self._by_ids.pop(ids)
        del self._sorted_ids[bisect_left(self._sorted_ids, ids)]
        self.nbytes -= sequence.nbytes


def common_prefix_length(first: Sequence[int], second: Sequence[int]) -> int:
    """The number of tokens that two sequences have in common at their beginning."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
