"""One batch of decoding: its requests, their attention mask and positions, and the order of its sequences."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from callwright.chat.local.cache import CachedMatch


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One conversation to continue: its token ids, and how to sample.

    Attributes:
        prompt: names the system message and the tools; conversations with the same ones share a prefix.
    """

    ids: tuple[int, ...]
    temperature: float
    top_p: float
    max_tokens: int
    seed: str
    prompt: str = ""


class BatchInputs:
    """Attention mask and positions of the unfinished sequences of a batch. New tokens are padded on the left.

    Attributes:
        mask: int64 (B, S), over the tokens after the shared prefixes.
    """

    def __init__(
        self,
        requests: Sequence[GenerationRequest],
        prefix_lengths: Sequence[int],
        matches: Sequence[CachedMatch],
        device: torch.device,
    ) -> None:
        self._device = device
        self._new_ids = [request.ids[end:] for request, (_, end) in zip(requests, matches, strict=True)]
        self._next_positions = torch.tensor([len(request.ids) for request in requests], device=device)  # (B,)
        self.mask = build_attention_mask(prefix_lengths, matches, [len(ids) for ids in self._new_ids]).to(device)

    def first_input(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids and positions of the prompts' uncached tokens, each (B, W), W the largest number of them."""
        width = max(len(ids) for ids in self._new_ids)
        padded = torch.tensor([[0] * (width - len(ids)) + list(ids) for ids in self._new_ids], device=self._device)
        positions = self._next_positions[:, None] - torch.arange(width, 0, -1, device=self._device)
        return padded, positions.clamp(min=0)

    def next_input(self, tokens: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids and positions of the next forward pass, each (B, 1)."""
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(tokens), 1)], dim=1)
        ids, positions = torch.tensor(tokens, device=self._device)[:, None], self._next_positions[:, None]
        self._next_positions = self._next_positions + 1
        return ids, positions

    def select(self, indices: torch.Tensor) -> None:
        """Keep only the sequences at these indices (n,), in this order."""
        self.mask, self._next_positions = self.mask[indices], self._next_positions[indices]


def build_attention_mask(
    prefix_lengths: Sequence[int], matches: Sequence[CachedMatch], new_tokens: Sequence[int]
) -> torch.Tensor:
    """Which positions after its shared prefix each sequence may attend to: its match and its new tokens.

    Args:
        prefix_lengths: number of tokens of each sequence's shared prefix.
        new_tokens: number of new tokens of each sequence; they are padded on the left.

    Returns:
        int64 (B, W + N) of 0 and 1: W the longest match after the prefix, N the largest number of new tokens.
    """
    matched = [end - prefix for prefix, (_, end) in zip(prefix_lengths, matches, strict=True)]
    width, max_new = max(matched), max(new_tokens)
    mask = torch.ones(len(new_tokens), width + max_new, dtype=torch.long)
    for index, (match_length, count) in enumerate(zip(matched, new_tokens, strict=True)):
        mask[index, : width - match_length] = 0
        mask[index, width : width + max_new - count] = 0
    return mask


def compacted_order(indices: Sequence[int]) -> list[int]:
    """Ascending indices in the order that moves the fewest sequences: the last ones move into the gaps.

    >>> compacted_order([0, 2, 3])
    [0, 3, 2]
    """
    count = len(indices)
    moving = [index for index in indices if index >= count]
    staying = set(indices)
    return [index if index in staying else moving.pop() for index in range(count)]
