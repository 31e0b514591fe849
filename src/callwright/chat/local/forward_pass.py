"""One forward pass for rows in flight: its inputs, and where its attention finds keys and values."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from callwright.chat.local.rows import Row, RowBuffer


@dataclass(frozen=True, slots=True)
class RowSpan:
    """Adjacent rows of a buffer, from the index `start` to before the index `end`."""

    buffer: RowBuffer
    start: int
    end: int

    @property
    def rows(self) -> list[Row]:
        return self.buffer.rows[self.start : self.end]


@dataclass(frozen=True, slots=True)
class NearStates:
    """One layer's keys and values of a span's rows after their prefixes.

    Attributes:
        batch: which sequences of the forward pass they are.
        keys, values: (rows, key heads, T, head size), views.
        bias: (rows, 1, W, T), 0 where a new token may attend, else the most negative number.
    """

    batch: slice
    keys: Tensor
    values: Tensor
    bias: Tensor


States = tuple[Tensor, Tensor]
"""One layer's keys and values of a prefix, each (key heads, tokens, head size)."""


class ForwardPass:
    """The tokens of some rows that have no keys and values yet, and the attention that they need.

    Each row's tokens are padded on the left to the largest number of them, W, so that all rows end together.

    Attributes:
        ids, positions: int64 (B, W), of the rows of all spans, in their order.
        layers: how many layers have used it.
        is_unusable: whether a layer's keys or values do not have the shape of those that its cache stores.
    """

    def __init__(self, spans: Sequence[RowSpan], device: torch.device, dtype: torch.dtype) -> None:
        self.rows = [row for span in spans for row in span.rows]
        tokens = [row.next_tokens() for row in self.rows]
        self._counts = list(map(len, tokens))
        width = max(self._counts)
        self.ids = torch.tensor([(0,) * (width - len(ids)) + ids for ids in tokens], device=device)
        ends = torch.tensor([row.length + count for row, count in zip(self.rows, self._counts, strict=True)])
        prefix_lengths = torch.tensor([row.prefix_length for row in self.rows])
        near = ends[:, None] + torch.arange(-width, 0)  # (B, W): each token's position after the prefix
        self.positions = (near + prefix_lengths[:, None]).clamp(min=0).to(device)
        self.layers, self.is_unusable = 0, False
        self._prefixes = self._group_by_prefix(device)
        self._spans = list(self._span_inputs(spans, ends, near, device, dtype))

    def _group_by_prefix(self, device: torch.device) -> list[tuple[list[States], Tensor]]:
        """For each prefix, its states by layer and the indices of the sequences that begin with it."""
        prefixes: dict[tuple[int, int], list[States]] = {}
        members: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, row in enumerate(self.rows):
            if row.prefix is not None:
                key = (id(row.prefix), row.prefix_length)
                if key not in prefixes:
                    prefixes[key] = row.prefix.states(row.prefix_length)
                members[key].append(index)
        return [(states, torch.tensor(members[key], device=device)) for key, states in prefixes.items()]

    def _span_inputs(
        self, spans: Sequence[RowSpan], ends: Tensor, near: Tensor, device: torch.device, dtype: torch.dtype
    ) -> Iterator["_SpanInputs"]:
        first = 0
        for span in spans:
            batch = slice(first, first + span.end - span.start)
            first = batch.stop
            counts, new = torch.tensor(self._counts[batch]), near[batch]
            attended = int(ends[batch].max())
            allowed = torch.arange(attended) <= new.clamp(min=0)[..., None]  # (rows, W, attended)
            bias = torch.zeros(allowed.shape, dtype=dtype).masked_fill_(~allowed, torch.finfo(dtype).min)
            rows, columns = (torch.arange(new.shape[1]) >= new.shape[1] - counts[:, None]).nonzero(as_tuple=True)
            indices = (span.start + rows, new[rows, columns], rows, columns)
            yield _SpanInputs(
                span.buffer,
                slice(span.start, span.end),
                batch,
                attended,
                bias[:, None].to(device),
                *(index.to(device) for index in indices),
            )

    def store(self, layer: int, keys: Tensor, values: Tensor) -> bool:
        """Keep the keys and values (B, key heads, W, head size) of the new tokens; returns whether they fit."""
        for span in self._spans:
            for buffer, new in ((span.buffer.keys, keys), (span.buffer.values, values)):
                if (buffer.shape[2], buffer.shape[4]) != (new.shape[1], new.shape[3]):
                    self.is_unusable = True
        if self.is_unusable:
            return False
        for span in self._spans:
            for buffer, new in ((span.buffer.keys, keys), (span.buffer.values, values)):
                stored = new[span.batch].transpose(1, 2)[span.source_rows, span.source_columns]
                buffer[layer].transpose(1, 2)[span.target_rows, span.target_positions] = stored
        return True

    def near(self, layer: int) -> list[NearStates]:
        """Keys and values after the prefixes, those of the new tokens included once they are stored."""
        return [
            NearStates(
                span.batch,
                span.buffer.keys[layer, span.rows, :, : span.attended],
                span.buffer.values[layer, span.rows, :, : span.attended],
                span.bias,
            )
            for span in self._spans
        ]

    def prefixes(self, layer: int) -> list[tuple[States, Tensor]]:
        """Each prefix's keys and values, and the indices (n,) of the sequences that begin with it."""
        return [(states[layer], indices) for states, indices in self._prefixes]

    def end(self) -> None:
        """Count the new tokens, which are stored now."""
        for row, count in zip(self.rows, self._counts, strict=True):
            row.length += count


@dataclass(frozen=True, slots=True)
class _SpanInputs:
    """What the attention of a span's rows needs.

    Attributes:
        rows: of the buffer.
        batch: the same rows' indices in the forward pass.
        attended: number of tokens after the prefix of the longest row, with its new ones.
        bias: (rows, 1, W, attended).
        target_rows, target_positions: (N,), where in the buffer each new token is stored.
        source_rows, source_columns: (N,), where in the span's part of the batch it is.
    """

    buffer: RowBuffer
    rows: slice
    batch: slice
    attended: int
    bias: Tensor
    target_rows: Tensor
    target_positions: Tensor
    source_rows: Tensor
    source_columns: Tensor
