"""Keys and values that were computed once and serve again: a prompt's shared prefix, and a conversation's turns.

The library's dynamic cache concatenates: every new token copies the whole cache, and with a long shared prompt that
copying is most of decoding's time on a CPU. Here a batch gets buffers with room to grow.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

SPARE_TOKENS = 16  # tokens that a buffer has room for beyond those it is made for, and grows by


@dataclass(frozen=True, slots=True)
class CachedSequence:
    """What a row had computed when it ended: layers of keys and values (heads, tokens, head size).

    Attributes:
        ids: the row's tokens, from the very first.
        start: how many of them, the shared prefix, have no keys and values here.
    """

    ids: tuple[int, ...]
    start: int
    layers: tuple[tuple[Tensor, Tensor], ...]

    @property
    def nbytes(self) -> int:
        """Size of the keys and values."""
        return sum(keys.nbytes + values.nbytes for keys, values in self.layers)

    def part(self, start: int, end: int) -> tuple[tuple[Tensor, Tensor], ...]:
        """Keys and values of the tokens [start, end)."""
        place = slice(start - self.start, end - self.start)
        return tuple((keys[:, place], values[:, place]) for keys, values in self.layers)


class SequenceCache:
    """The latest rows. A conversation that continues begins with the tokens of one of them.

    Args:
        max_bytes: that their keys and values take together.

    Attributes:
        nbytes: that they take now.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._by_ids: list[tuple[int, ...]] = []  # sorted: the longest common prefix is a neighbour's
        self._turns: dict[tuple[int, ...], CachedSequence] = {}  # oldest first
        self.nbytes = 0

    def keep(self, turn: CachedSequence) -> None:
        """Remember a row unless it alone is too large, and forget the oldest rows when the total gets too large."""
        if turn.nbytes > self._max_bytes:
            return
        if turn.ids in self._turns:
            self._evict(turn.ids)
        insort(self._by_ids, turn.ids)
        self._turns[turn.ids] = turn
        self.nbytes += turn.nbytes
        while self.nbytes > self._max_bytes:
            self._evict(next(iter(self._turns)))

    def longest(self, ids: tuple[int, ...], start: int) -> tuple[CachedSequence | None, int]:
        """The turn that shares the most tokens with `ids`, and how many; `start` and none where no turn has more."""
        place = bisect_left(self._by_ids, ids)
        best, length = None, start
        for neighbour in self._by_ids[max(place - 1, 0) : place + 1]:
            shared = common_prefix_length(neighbour, ids)
            if shared > length and self._turns[neighbour].start <= start:
                best, length = self._turns[neighbour], shared
        return best, length

    def _evict(self, ids: tuple[int, ...]) -> None:
        turn = self._turns.pop(ids)
        del self._by_ids[bisect_left(self._by_ids, ids)]
        self.nbytes -= turn.nbytes


def common_prefix_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences begin with in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class PreallocatedLayer(DynamicLayer):
    """One layer's keys and values, (batch, heads, tokens, head size), as views of buffers with room to grow."""

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
        """Keep these rows, none twice. In place: a row that stays where it was is not copied."""
        length, kept = self.keys.shape[-2], len(indices)
        moved = (indices != torch.arange(kept, device=indices.device)).nonzero()[:, 0]
        for buffer in self._buffers:
            buffer[moved, ..., :length, :] = buffer[indices[moved], ..., :length, :]
        keys, values = self._buffers
        self._buffers = (keys[:kept], values[:kept])
        self._set_length(length)

    def row(self, place: int, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Copies of one row's keys and values at the chosen places (n,)."""
        return self.keys[place].index_select(1, chosen), self.values[place].index_select(1, chosen)


def _extended_buffer(states: Tensor, length: int) -> Tensor:
    """A buffer of this length that begins with these keys or values."""
    buffer = states.new_empty(*states.shape[:-2], length, states.shape[-1])
    buffer[..., : states.shape[-2], :] = states
    return buffer


def cache_after_prefix(
    like: DynamicCache, length: int, turns: Sequence[tuple[CachedSequence | None, int]], added: int
) -> Cache:
    """A cache for what rows have after the first `length` tokens, which all share.

    Args:
        like: a cache of the same model.
        turns: per row what `Turns.longest` found: its keys and values stand right before the row's new tokens, with a
            gap before them in rows that have fewer.
        added: new tokens that a row brings, at most.
    """
    width = max(end - length for _, end in turns)
    parts = [turn.part(length, end) if turn else None for turn, end in turns]
    layers = []
    for place, layer in enumerate(like.layers):
        buffers = tuple(
            _empty_buffer(states, len(turns), width, added + SPARE_TOKENS) for states in (layer.keys, layer.values)
        )
        for row, part in enumerate(parts):
            for buffer, states in zip(buffers, part[place] if part else (), strict=False):
                buffer[row, :, width - states.shape[1] : width] = states
        layers.append(PreallocatedLayer((buffers[0], buffers[1]), width))
    return Cache(layers=layers)


def _empty_buffer(like: Tensor, batch: int, width: int, room: int) -> Tensor:
    _, heads, _, size = like.shape
    buffer = like.new_empty(batch, heads, width + room, size)
    buffer[..., :width, :] = 0  # gaps are masked, but what is there is still multiplied
    return buffer


def build_attention_mask(
    length: int, turns: Sequence[tuple[CachedSequence | None, int]], tails: Sequence[int]
) -> Tensor:
    """Which places after the shared prefix a row may attend to, (rows, places) of 0 and 1: its turn, its new tokens.

    Args:
        length: of the shared prefix.
        tails: per row how many new tokens it brings, padded on the left.
    """
    width, added = max(end - length for _, end in turns), max(tails)
    mask = torch.ones(len(tails), width + added, dtype=torch.long)
    for row, ((_, end), tail) in enumerate(zip(turns, tails, strict=True)):
        mask[row, : width - (end - length)] = 0
        mask[row, width : width + added - tail] = 0
    return mask
