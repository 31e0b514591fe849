"""A batch of token sequences as a trie: each distinct prefix once, packed into one sequence in depth-first order."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Segment:
    """The packed positions that one sequence adds to the trie: start to end - 1.

    Attributes:
        ancestors: (P,), packed positions of the prefix that the segment continues; P is 0 at a root.
        mask: bool (end - start, P + end - start), True where a position of the segment may attend to an ancestor or to
            a position of the segment; None at a root, where attention is causal.
    """

    start: int
    end: int
    ancestors: Tensor
    mask: Tensor | None


@dataclass(frozen=True, slots=True)
class TokenTrie:
    """N packed tokens of B sequences of padded length L.

    Attributes:
        tokens: (1, N), token ids.
        depths: (1, N), each token's position in its sequence.
        packed_index: (B, L), the packed position of each batch position; 0 at padding, which is never read.
        subtree_ends: (N,). The descendants of position p are p to subtree_ends[p] - 1, so position q may attend to k if
            k <= q < subtree_ends[k].
        segments: the packed sequence in parts, in order.
    """

    tokens: Tensor
    depths: Tensor
    packed_index: Tensor
    subtree_ends: Tensor
    segments: tuple[Segment, ...]


def token_trie(input_ids: Tensor, attention_mask: Tensor | None = None) -> TokenTrie:
    """Merge the sequences of a batch, both arguments (B, L), padded left or right.

    Sorting puts the sequences with the longest shared prefix side by side, so comparing neighbours finds every prefix.

    Raises:
        ValueError: the batch contains no token.
    """
    device, ids = input_ids.device, input_ids.cpu().numpy()
    token_mask = np.ones(ids.shape, dtype=bool) if attention_mask is None else attention_mask.bool().cpu().numpy()
    if not token_mask.any():
        raise ValueError("the batch contains no token")
    order, sequences, is_token = _sorted_sequences(ids, token_mask)
    numbers, depth = np.arange(len(sequences))[:, None], np.arange(sequences.shape[1])
    shared = _shared_prefix_lengths(sequences, is_token)[:, None]
    is_new = is_token & (depth >= shared)  # the first sequence with a prefix adds its token to the trie
    starts = np.concatenate([[0], is_new.sum(1).cumsum()])
    owner = np.maximum.accumulate(np.where(depth >= shared, numbers, 0))  # the sequence that added this prefix's token
    positions = starts[owner] + depth - shared[owner, 0]
    # The subtree of a prefix of sequence i ends at the first later sequence that shares less of it.
    end_by_prefix = np.where(depth >= shared, starts[:-1, None], starts[-1])
    later_end = np.vstack([end_by_prefix[1:], np.full_like(end_by_prefix[:1], starts[-1])])
    subtree_ends = np.minimum.accumulate(later_end[::-1])[::-1]
    packed_index = np.zeros(ids.shape, dtype=np.int64)
    sorted_number, batch_column = np.nonzero(token_mask[order])
    packed_index[order[sorted_number], batch_column] = positions[is_token]

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(device)

    return TokenTrie(
        tensor(sequences[is_new][None]),
        tensor(np.broadcast_to(depth, sequences.shape)[is_new][None]),
        tensor(packed_index),
        tensor(subtree_ends[is_new]),
        tuple(
            _segment(int(starts[number]), int(starts[number + 1]), tensor(positions[number, : shared[number, 0]]))
            for number in range(len(sequences))
            if starts[number] < starts[number + 1]
        ),
    )


def _sorted_sequences(ids: np.ndarray, token_mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The batch's sequences in lexicographic order.

    Returns:
        order (B,), the batch index of each sorted sequence; the sorted sequences (B, W), aligned left and padded with
        -1; and which of their positions hold a token, bool (B, W). W is the length of the longest sequence.
    """
    lengths = token_mask.sum(1)
    is_token = np.arange(lengths.max()) < lengths[:, None]
    sequences = np.full(is_token.shape, -1, dtype=np.int64)
    sequences[is_token] = ids[token_mask]
    keys = [key.tobytes() for key in (sequences + 1).astype(">u8")]  # big-endian: bytes compare as the numbers do
    order = np.array(sorted(range(len(sequences)), key=keys.__getitem__))
    return order, sequences[order], is_token[order]


def _shared_prefix_lengths(sequences: np.ndarray, is_token: np.ndarray) -> np.ndarray:
    """(B,): how many tokens each sorted sequence shares with the one before it."""
    same = (sequences[1:] == sequences[:-1]) & is_token[1:]
    shared: np.ndarray = np.concatenate([[0], np.logical_and.accumulate(same, axis=1).sum(1)])
    return shared


def _segment(start: int, end: int, ancestors: Tensor) -> Segment:
    if not len(ancestors):
        return Segment(start, end, ancestors, None)
    size = end - start
    mask = torch.ones(size, len(ancestors) + size, dtype=torch.bool, device=ancestors.device)
    return Segment(start, end, ancestors, mask.tril(len(ancestors)))
