"""A batch of token sequences as a trie: every distinct prefix once, packed into one row."""

from collections.abc import Sequence
from dataclasses import dataclass

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

    Padding lies at 0, and nothing reads it.
    """

    tokens: Tensor
    depths: Tensor
    place: Tensor
    segments: tuple[Segment, ...]


def token_trie(input_ids: Tensor, attention_mask: Tensor | None = None) -> TokenTrie:
    """Merge the rows of a batch, (B, L), padded left or right; B sequences sorted meet their longest shared prefix.

    Raises:
        ValueError: the batch holds no token.
    """
    device = input_ids.device
    real = torch.ones_like(input_ids, dtype=torch.bool) if attention_mask is None else attention_mask.bool()
    real = real.cpu()
    rows = [ids[mask].tolist() for ids, mask in zip(input_ids.cpu(), real, strict=True)]
    if not any(rows):
        raise ValueError("a batch without a token has no trie")
    tokens: list[int] = []
    depths: list[int] = []
    segments: list[Segment] = []
    place = torch.zeros(input_ids.shape, dtype=torch.long)
    before: list[int] = []
    path = torch.zeros(0, dtype=torch.long)
    for row in sorted(range(len(rows)), key=rows.__getitem__):
        shared, start = _shared(before, rows[row]), len(tokens)
        tokens += rows[row][shared:]
        depths += range(shared, len(rows[row]))
        path = torch.cat([path[:shared], torch.arange(start, len(tokens))])
        if len(tokens) > start:
            segments.append(_segment(start, len(tokens), path[:shared].to(device)))
        place[row, real[row]] = path
        before = rows[row]
    return TokenTrie(
        torch.tensor([tokens], device=device), torch.tensor([depths], device=device), place.to(device), tuple(segments)
    )


def _shared(left: Sequence[int], right: Sequence[int]) -> int:
    length = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        length += 1
    return length


def _segment(start: int, end: int, ancestors: Tensor) -> Segment:
    if not len(ancestors):
        return Segment(start, end, ancestors, None)
    size = end - start
    mask = torch.ones(size, len(ancestors) + size, dtype=torch.bool, device=ancestors.device)
    return Segment(start, end, ancestors, mask.tril(len(ancestors)))
