"""Keys and values that are reused: those of a shared prompt prefix, and those of a conversation's earlier turns.

The library's dynamic cache concatenates, so every new token copies the whole cache. With a long shared prompt this
copying takes most of the decoding time on a CPU. Here a batch gets preallocated buffers instead.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

SPARE_TOKENS = 16  # tokens of unused capacity in a new or grown buffer


@dataclass(frozen=True, slots=True)
class CachedSequence:
    """Keys and values of a finished sequence.

    Attributes:
        ids: all tokens of the sequence.
        start: number of its first tokens, the shared prefix, whose keys and values are not in `layers`.
        layers: keys and values per layer, each (heads, tokens, head size).
    """

    ids: tuple[int, ...]
    start: int
    layers: tuple[tuple[Tensor, Tensor], ...]

    @property
    def nbytes(self) -> int:
        """Size of the keys and values in bytes."""
        return sum(keys.nbytes + values.nbytes for keys, values in self.layers)

    def states_between(self, start: int, end: int) -> tuple[tuple[Tensor, Tensor], ...]:
        """Keys and values of the tokens [start, end), per layer, each (heads, tokens, head size)."""
        tokens = slice(start - self.start, end - self.start)
        return tuple((keys[:, tokens], values[:, tokens]) for keys, values in self.layers)


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
        """Add a sequence unless it alone is too large, and evict the oldest ones while the total is too large."""
        if sequence.nbytes > self._max_bytes:
            return
        if sequence.ids in self._by_ids:
            self._evict(sequence.ids)
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


class PreallocatedLayer(DynamicLayer):
    """One layer's keys and values, each (batch, heads, tokens, head size), as views of larger buffers."""

    def __init__(self, buffers: tuple[Tensor, Tensor], length: int) -> None:
        super().__init__()
        self.dtype, self.device = buffers[0].dtype, buffers[0].device
        self._buffers = buffers
        self.is_initialized = True
        self._set_length(length)

    def _set_length(self, length: int) -> None:
        self.keys, self.values = (buffer[..., :length, :] for buffer in self._buffers)

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        start, added = self.keys.shape[-2], key_states.shape[-2]
        if start + added > self._buffers[0].shape[-2]:
            self._buffers = (
                _extended_buffer(self.keys, start + added + SPARE_TOKENS),
                _extended_buffer(self.values, start + added + SPARE_TOKENS),
            )
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[..., start : start + added, :] = states
        self._set_length(start + added)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep only these sequences of the batch, each at most once; one that keeps its index is not copied."""
        length, count = self.keys.shape[-2], len(indices)
        moved = (indices != torch.arange(count, device=indices.device)).nonzero()[:, 0]
        for buffer in self._buffers:
            buffer[moved, ..., :length, :] = buffer[indices[moved], ..., :length, :]
        keys, values = self._buffers
        self._buffers = (keys[:count], values[:count])
        self._set_length(length)

    def select_states(self, index: int, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Copies of the keys and values of sequence `index` at positions (n,), each (heads, n, head size)."""
        return self.keys[index].index_select(1, positions), self.values[index].index_select(1, positions)


def _extended_buffer(states: Tensor, length: int) -> Tensor:
    """A buffer for `length` tokens that begins with these keys or values."""
    buffer = states.new_empty(*states.shape[:-2], length, states.shape[-1])
    buffer[..., : states.shape[-2], :] = states
    return buffer


def cache_after_prefixes(
    like: DynamicCache, prefix_lengths: Sequence[int], matches: Sequence[CachedMatch], max_new: int
) -> Cache:
    """A cache for the tokens of a batch after the prefixes that its sequences share.

    Args:
        like: a cache of the same model.
        prefix_lengths: number of tokens of each sequence's shared prefix.
        matches: the result of `SequenceCache.longest_match` for each sequence.
        max_new: largest number of new tokens in a sequence.

    Returns:
        Layers with keys and values (B, heads, W, head size), W the longest match after the prefix. Matches are aligned
        on the right, so shorter ones have a gap on the left. The buffers have capacity for the new tokens.
    """
    spans = [(cached, start, end) for start, (cached, end) in zip(prefix_lengths, matches, strict=True)]
    width = max(end - start for _, start, end in spans)
    matched_states = [cached.states_between(start, end) if cached else None for cached, start, end in spans]
    layers = []
    for layer_index, layer in enumerate(like.layers):
        buffers = tuple(
            _empty_buffer(states, len(matches), width, max_new + SPARE_TOKENS) for states in (layer.keys, layer.values)
        )
        for index, layer_states in enumerate(matched_states):
            for buffer, states in zip(buffers, layer_states[layer_index] if layer_states else (), strict=False):
                buffer[index, :, width - states.shape[1] : width] = states
        layers.append(PreallocatedLayer((buffers[0], buffers[1]), width))
    return Cache(layers=layers)


def _empty_buffer(like: Tensor, batch: int, width: int, capacity: int) -> Tensor:
    """A buffer (batch, heads, width + capacity, head size), zero in the first `width` tokens."""
    _, heads, _, size = like.shape
    buffer = like.new_empty(batch, heads, width + capacity, size)
    buffer[..., :width, :] = 0  # masked positions are still multiplied, so they must be finite
    return buffer
