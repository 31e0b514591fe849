"""Batched decoding of a causal language model, with the rows' shared prefix computed once.

A row's sample depends on its own seed only: each token takes one uniform number from the row's own generator, so what
else is in the batch does not change it (up to floating-point ties).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MIN_SHARED = 16  # tokens; below, sharing a prefix is not worth it


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt to continue: token ids, and how to sample."""

    ids: tuple[int, ...]
    temperature: float
    top_p: float
    max_tokens: int
    seed: str


class Decoder:
    """Continues rows with one model; keeps the computed prefix of the last batch for the next."""

    def __init__(self, model: "PreTrainedModel", stop_ids: frozenset[int]) -> None:
        self._model = model
        self._stop_ids = stop_ids
        self._prefix: tuple[int, ...] = ()
        self._prefix_cache: Any = None

    @torch.inference_mode()
    def continue_rows(self, rows: Sequence[Row]) -> list[list[int]]:
        """New token ids per row, a stop token included where one was reached."""
        prefix = self._shared_prefix(rows)
        cache = self._cache_of(prefix, rows)
        states = _States(rows, len(prefix), self._model.device)
        ids, positions = states.first_input()
        active = list(range(len(rows)))
        made: list[list[int]] = [[] for _ in rows]
        generators = [random.Random(row.seed) for row in rows]
        while active:
            output = self._model(
                input_ids=ids,
                attention_mask=states.mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            cache = output.past_key_values
            tokens = _sample(output.logits[:, -1].float(), [rows[i] for i in active], [generators[i] for i in active])
            keep = []
            for place, (row, token) in enumerate(zip(active, tokens, strict=True)):
                made[row].append(token)
                if token not in self._stop_ids and len(made[row]) < rows[row].max_tokens:
                    keep.append(place)
            if len(keep) < len(active):
                active = [active[place] for place in keep]
                if not active:
                    break
                index = torch.tensor(keep, device=self._model.device)
                cache.batch_select_indices(index)
                states.select(index)
                tokens = [tokens[place] for place in keep]
            ids, positions = states.next_input(tokens)
        return made

    def _shared_prefix(self, rows: Sequence[Row]) -> tuple[int, ...]:
        shared = _common_prefix([row.ids[:-1] for row in rows])
        kept = _common_prefix([shared, self._prefix])
        if len(kept) < MIN_SHARED or 2 * len(kept) < len(shared):
            kept = shared
        return kept if len(kept) >= MIN_SHARED and _can_share(self._model) else ()

    def _cache_of(self, prefix: tuple[int, ...], rows: Sequence[Row]) -> Any:
        from transformers import DynamicCache

        from callwright.chat.cache import cache_from_prefix

        if not prefix:
            return DynamicCache(config=self._model.config)
        if self._prefix[: len(prefix)] != prefix:
            ids = torch.tensor([prefix], device=self._model.device)
            self._prefix_cache = self._model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values
            self._prefix = prefix
        room = max(len(row.ids) for row in rows) - len(prefix) + max(row.max_tokens for row in rows)
        return cache_from_prefix(self._prefix_cache, len(prefix), len(rows), room)


def _can_share(model: "PreTrainedModel") -> bool:
    """Only full attention keeps a prefix that can be cut and repeated."""
    kinds = getattr(model.config, "layer_types", None) or []
    return all(kind == "full_attention" for kind in kinds)


def _common_prefix(sequences: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    first, last = min(sequences), max(sequences)
    length = 0
    for a, b in zip(first, last, strict=False):
        if a != b:
            break
        length += 1
    return first[:length]


class _States:
    """Attention mask (B, S + L) and next positions (B,) of the rows still going: L is left-padded."""

    def __init__(self, rows: Sequence[Row], shared: int, device: torch.device) -> None:
        self._tails = [row.ids[shared:] for row in rows]
        self._shared = shared
        self._device = device
        width = max(len(tail) for tail in self._tails)
        mask = torch.ones(len(rows), shared + width, dtype=torch.long)
        for row, tail in enumerate(self._tails):
            mask[row, shared : shared + width - len(tail)] = 0
        self.mask = mask.to(device)
        self._width = width

    def first_input(self) -> tuple[torch.Tensor, torch.Tensor]:
        ids = torch.tensor([[0] * (self._width - len(tail)) + list(tail) for tail in self._tails], device=self._device)
        positions = (self._shared + self.mask[:, self._shared :].cumsum(-1) - 1).clamp(min=0)
        self._next = positions[:, -1] + 1
        return ids, positions

    def next_input(self, tokens: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(tokens), 1)], dim=1)
        ids, positions = torch.tensor(tokens, device=self._device)[:, None], self._next[:, None]
        self._next = self._next + 1
        return ids, positions

    def select(self, index: torch.Tensor) -> None:
        self.mask, self._next = self.mask[index], self._next[index]


def _sample(logits: torch.Tensor, rows: Sequence[Row], generators: Sequence[random.Random]) -> list[int]:
    """One token per row from logits (B, V): greedy at temperature 0, else by inverse CDF within the top-p nucleus."""
    greedy = logits.argmax(-1)
    if all(row.temperature == 0 for row in rows):
        return [int(token) for token in greedy.tolist()]
    temperatures = torch.tensor([row.temperature or 1.0 for row in rows], device=logits.device)
    probabilities, order = (logits / temperatures[:, None]).softmax(-1).sort(dim=-1, descending=True, stable=True)
    cumulative = probabilities.cumsum(-1)
    top_p = torch.tensor([row.top_p for row in rows], device=logits.device)
    total = torch.where(cumulative - probabilities < top_p[:, None], probabilities, 0.0).sum(-1)
    uniform = torch.tensor([generator.random() for generator in generators], device=logits.device)
    place = torch.searchsorted(cumulative, (uniform * total)[:, None]).clamp(max=logits.shape[-1] - 1)
    drawn = order.gather(-1, place)[:, 0].tolist()
    return [
        int(best if row.temperature == 0 else token)
        for row, best, token in zip(rows, greedy.tolist(), drawn, strict=True)
    ]
