"""The requests that are being decoded: each a row, with the keys and values of its tokens after a shared prefix.

Rows of similar length share a buffer, so that a short conversation does not pay for the width of a long one, and a row
can join or leave at any time.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from callwright.chat.local.cache import KeyValues
from callwright.chat.local.generation import GenerationRequest
from callwright.chat.local.prefix_cache import CachedPrefix

WIDTH_STEP = 64  # tokens; buffers have widths of this many, and of more where that is under an eighth of them
SPARE_TOKENS = 16  # room that a row has at least when it comes to a buffer


@dataclass(slots=True, eq=False)
class Row:
    """A request in flight.

    Attributes:
        prefix: the cached prefix that it begins with, of which it uses the first `prefix_length` tokens; None: none.
        length: number of tokens after them whose keys and values are stored.
        generated: the new tokens; the last one is not stored yet.
    """

    request: GenerationRequest
    prefix: CachedPrefix | None
    prefix_length: int
    length: int
    generator: random.Random
    generated: list[int] = field(default_factory=list)

    def next_tokens(self) -> tuple[int, ...]:
        """The tokens for the next forward pass: what is not stored yet."""
        return (*self.request.ids, *self.generated)[self.prefix_length + self.length :]


class RowBuffer:
    """Rows of up to `width` tokens, and their keys and values.

    Attributes:
        rows: the row at each index of the buffer.
        keys, values: (layers, rows that fit, key heads, width, head size); finite everywhere.
    """

    def __init__(self, width: int, like: KeyValues, rows: int = 8) -> None:
        self.width = width
        self.rows: list[Row] = []
        self.keys, self.values = (
            states.new_zeros(states.shape[0], rows, states.shape[1], width, states.shape[3]) for states in like
        )

    @property
    def used_bytes(self) -> int:
        """Size of the rows in bytes. The buffer is larger: it has spare rows, and does not shrink."""
        return (self.keys.nbytes + self.values.nbytes) // self.keys.shape[1] * len(self.rows)

    def append(self, row: Row, states: KeyValues) -> None:
        """Add a row with the keys and values of its first `row.length` tokens."""
        index = len(self.rows)
        if index == self.keys.shape[1]:
            self.keys, self.values = (_with_double_rows(buffer) for buffer in (self.keys, self.values))
        self.rows.append(row)
        for buffer, stored in zip((self.keys, self.values), states, strict=True):
            buffer[:, index, :, : row.length] = stored

    def states(self, index: int) -> KeyValues:
        """Views of a row's keys and values."""
        length = self.rows[index].length
        return self.keys[:, index, :, :length], self.values[:, index, :, :length]

    def remove(self, index: int) -> None:
        """Remove a row; the last one takes its index."""
        last = self.rows.pop()
        if index < len(self.rows):
            self.rows[index] = last
            for buffer in (self.keys, self.values):
                buffer[:, index, :, : last.length] = buffer[:, len(self.rows), :, : last.length]


def _with_double_rows(buffer: Tensor) -> Tensor:
    return torch.cat([buffer, torch.zeros_like(buffer)], dim=1)


class RowBuffers:
    """The buffers of all rows in flight, by width."""

    def __init__(self) -> None:
        self._buffers: dict[int, RowBuffer] = {}

    def __iter__(self) -> Iterator[RowBuffer]:
        """The buffers that have rows, the narrowest first."""
        return (self._buffers[width] for width in sorted(self._buffers) if self._buffers[width].rows)

    def __len__(self) -> int:
        """Number of rows."""
        return sum(len(buffer.rows) for buffer in self._buffers.values())

    @property
    def rows(self) -> list[Row]:
        return [row for buffer in self for row in buffer.rows]

    @property
    def used_bytes(self) -> int:
        """Size of all rows in bytes."""
        return sum(buffer.used_bytes for buffer in self)

    def add(self, row: Row, states: KeyValues, new_tokens: int) -> None:
        """Add a row that will have so many more tokens soon.

        Args:
            states: keys and values of its first `row.length` tokens.
        """
        width = width_for(row.length + new_tokens + SPARE_TOKENS)
        if width not in self._buffers:
            self._buffers[width] = RowBuffer(width, states)
        self._buffers[width].append(row, states)

    def widen(self) -> None:
        """Move the rows that have no room for another token to a wider buffer, and drop empty buffers."""
        for buffer in list(self):
            for index in reversed(range(len(buffer.rows))):
                row = buffer.rows[index]
                if row.length == buffer.width:
                    self.add(row, buffer.states(index), 1)
                    buffer.remove(index)
        self._buffers = {width: buffer for width, buffer in self._buffers.items() if buffer.rows}

    def remove(self, rows: Iterable[Row]) -> None:
        removed = set(map(id, rows))
        for buffer in list(self):
            for index in reversed(range(len(buffer.rows))):
                if id(buffer.rows[index]) in removed:
                    buffer.remove(index)


def width_for(tokens: int) -> int:
    """The width of the buffer for rows of so many tokens.

    >>> [width_for(tokens) for tokens in (1, 64, 65, 1_000, 5_000)]
    [64, 64, 128, 1024, 5120]
    """
    step = max(WIDTH_STEP, 1 << max(tokens.bit_length() - 4, 0))
    return -(-tokens // step) * step
