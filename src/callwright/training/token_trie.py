"""A batch of token sequences as a trie: every distinct prefix once, packed into one row, depth first."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Segment:
    """What one sequence adds to the trie: packed positions start:end, after the positions `ancestors` (P,).

    `mask` (end - start, P + end - start) is True where a new position sees an ancestor or a new one; None at a root.
    """

    start: int
    end: int
    ancestors: Tensor
    mask: Tensor | None


@dataclass(frozen=True, slots=True)
class TokenTrie:
    """N packed tokens with their depths, both (1, N), and where each of the B x L batch positions lies, (B, L).

    Padding lies at 0, and nothing reads it. What descends from position p is p:ends[p], `ends` being (N,); so q sees k
    where k <= q < ends[k].
    """

    tokens: Tensor
    depths: Tensor
    place: Tensor
    ends: Tensor
    segments: tuple[Segment, ...]


def token_trie(input_ids: Tensor, attention_mask: Tensor | None = None) -> TokenTrie:
    """Merge the rows of a batch, (B, L), padded left or right; B sequences sorted meet their longest shared prefix.

    Raises:
        ValueError: the batch holds no token.
    """
    device, ids = input_ids.device, input_ids.cpu().numpy()
    real = np.ones(ids.shape, dtype=bool) if attention_mask is None else attention_mask.bool().cpu().numpy()
    if not real.any():
        raise ValueError("a batch without a token has no trie")
    order, rows, inside = _sorted_rows(ids, real)
    count, depth = np.arange(len(rows))[:, None], np.arange(rows.shape[1])
    shared = _shared_prefix_lengths(rows, inside)[:, None]
    new = inside & (depth >= shared)
    starts = np.concatenate([[0], new.sum(1).cumsum()])
    owner = np.maximum.accumulate(np.where(depth >= shared, count, 0))  # the row whose new token this prefix ends in
    places = starts[owner] + depth - shared[owner, 0]
    # A prefix of row i goes on until the first later row that shares less of it.
    until = np.where(depth >= shared, starts[:-1, None], starts[-1])
    after = np.minimum.accumulate(np.vstack([until[1:], np.full_like(until[:1], starts[-1])])[::-1])[::-1]
    place = np.zeros(ids.shape, dtype=np.int64)
    batch_row, batch_column = np.nonzero(real[order])
    place[order[batch_row], batch_column] = places[inside]

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(device)

    return TokenTrie(
        tensor(rows[new][None]),
        tensor(np.broadcast_to(depth, rows.shape)[new][None]),
        tensor(place),
        tensor(after[new]),
        tuple(
            _segment(int(starts[row]), int(starts[row + 1]), tensor(places[row, : shared[row, 0]]))
            for row in range(len(rows))
            if starts[row] < starts[row + 1]
        ),
    )


def _sorted_rows(ids: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The order of the rows, the rows in it, aligned left and filled up with -1, and where their tokens are."""
    lengths = real.sum(1)
    inside = np.arange(lengths.max()) < lengths[:, None]
    rows = np.full(inside.shape, -1, dtype=np.int64)
    rows[inside] = ids[real]
    keys = [key.tobytes() for key in (rows + 1).astype(">u8")]  # big-endian: bytes compare as the numbers do
    order = np.array(sorted(range(len(rows)), key=keys.__getitem__))
    return order, rows[order], inside[order]


def _shared_prefix_lengths(rows: np.ndarray, inside: np.ndarray) -> np.ndarray:
    same = (rows[1:] == rows[:-1]) & inside[1:]
    shared: np.ndarray = np.concatenate([[0], np.logical_and.accumulate(same, axis=1).sum(1)])
    return shared


def _segment(start: int, end: int, ancestors: Tensor) -> Segment:
    if not len(ancestors):
        return Segment(start, end, ancestors, None)
    size = end - start
    mask = torch.ones(size, len(ancestors) + size, dtype=torch.bool, device=ancestors.device)
    return Segment(start, end, ancestors, mask.tril(len(ancestors)))
