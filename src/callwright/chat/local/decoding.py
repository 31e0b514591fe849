"""Batched decoding of a causal language model; shared prompts and earlier turns are computed once.

A row's sample depends on its own seed only: each token takes one uniform number from the row's own generator, so what
else is in the batch does not change it (up to floating-point ties).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

from callwright.chat.local.cache import (
    CachedSequence,
    SequenceCache,
    build_attention_mask,
    cache_after_prefix,
    common_prefix_length,
)
from callwright.chat.local.device import cache_budget_bytes
from callwright.chat.local.prefix_attention import SharedPrefix, enable_shared_prefix

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MIN_SHARED_TOKENS = 16  # tokens; below, sharing a prefix is not worth it
MAX_CACHED_PREFIXES = 8  # prefixes whose keys and values are cached if there is room: one per task, and some more

CachedMatch = tuple[CachedSequence | None, int]  # what `Turns.longest` gives


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One prompt to continue: token ids, and how to sample."""

    ids: tuple[int, ...]
    temperature: float
    top_p: float
    max_tokens: int
    seed: str


class DecodingStopped(Exception):  # noqa: N818 - says what it is
    """Decoding was told to stop."""


class Decoder:
    """Continues rows with one model, and caches keys and values of prompts and conversations for later rows.

    Args:
        max_bytes: that what is kept may take on the model's device, half of it for prompts, half for conversations;
            None: a share of what is free there now. What is computed anew for lack of room comes out the same.
    """

    def __init__(self, model: "PreTrainedModel", stop_ids: frozenset[int], max_bytes: int | None = None) -> None:
        self.max_bytes = cache_budget_bytes(model.device) if max_bytes is None else max_bytes
        self._stopping = False
        self._model = model
        self._stop_ids = stop_ids
        self._can_share = enable_shared_prefix(model)
        self._prefixes: dict[tuple[int, ...], Any] = {}  # to their caches, the latest last
        self._turns = SequenceCache(self.max_bytes // 2)

    @torch.inference_mode()
    def decode_batch(self, rows: Sequence[GenerationRequest]) -> list[list[int]]:
        """New token ids per row, a stop token included where one was reached.

        Raises:
            Stopped: `stop` was called meanwhile, from another thread.
        """
        prefix = self._shared_prefix(rows) if self._can_share else ()
        if prefix:
            turns = [self._turns.longest(row.ids[:-1], len(prefix)) for row in rows]
            added = max(len(row.ids) - end for row, (_, end) in zip(rows, turns, strict=True))
            computed = self._prefix_cache(prefix)
            shared = SharedPrefix(
                [(one.keys[0, :, : len(prefix)], one.values[0, :, : len(prefix)]) for one in computed.layers]
            )
            cache = cache_after_prefix(computed, len(prefix), turns, added)
            states = _BatchInputs(rows, len(prefix), turns, self._model.device)
            made = self._decode(rows, cache, states, {"shared_prefix": shared})
            if made is not None:
                return made
            self._can_share = False  # its layers are not handed what they need
        plain = DynamicCache(config=self._model.config)
        made = self._decode(rows, plain, _BatchInputs(rows, 0, [(None, 0)] * len(rows), self._model.device), {})
        assert made is not None
        return made

    def stop(self) -> None:
        """End the current batch at its next token, and decode nothing more."""
        self._stopping = True

    @property
    def cached_bytes(self) -> int:
        """Size of all cached keys and values."""
        return self._turns.nbytes + sum(map(_nbytes, self._prefixes.values()))

    def uncached_token_count(self, row: GenerationRequest) -> int:
        """How many of a row's tokens are not computed yet."""
        ids = row.ids[:-1]
        known = max((common_prefix_length(ids, prefix) for prefix in self._prefixes), default=0)
        return len(row.ids) - self._turns.longest(ids, known)[1]

    def _decode(
        self, rows: Sequence[GenerationRequest], cache: Any, states: "_BatchInputs", beginning: dict[str, SharedPrefix]
    ) -> list[list[int]] | None:
        """New token ids per row; None where a layer did not ask for the shared beginning."""
        ids, positions = states.first_input()
        active = list(range(len(rows)))
        made: list[list[int]] = [[] for _ in rows]
        generators = [random.Random(row.seed) for row in rows]
        while True:
            if self._stopping:
                raise DecodingStopped
            output = self._model(
                input_ids=ids,
                attention_mask=states.mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
                **beginning,
            )
            if any(shared.layers < len(shared.states) for shared in beginning.values()):
                return None
            cache = output.past_key_values
            tokens = _sample(output.logits[:, -1].float(), [rows[i] for i in active], [generators[i] for i in active])
            keep = []
            for place, (row, token) in enumerate(zip(active, tokens, strict=True)):
                made[row].append(token)
                if token not in self._stop_ids and len(made[row]) < rows[row].max_tokens:
                    keep.append(place)
                elif states.shared:
                    self._cache_sequence((*rows[row].ids, *made[row][:-1]), place, cache, states)
            if not keep:
                return made
            if len(keep) < len(active):
                keep = _compacted_order(keep)
                active = [active[place] for place in keep]
                index = torch.tensor(keep, device=self._model.device)
                cache.batch_select_indices(index)
                states.select(index)
                tokens = [tokens[place] for place in keep]
            ids, positions = states.next_input(tokens)

    def _cache_sequence(self, ids: tuple[int, ...], place: int, cache: Any, states: "_BatchInputs") -> None:
        chosen = states.mask[place].nonzero()[:, 0]
        self._turns.keep(CachedSequence(ids, states.shared, tuple(layer.row(place, chosen) for layer in cache.layers)))

    def _shared_prefix(self, rows: Sequence[GenerationRequest]) -> tuple[int, ...]:
        """What all rows begin with, or the computed part of it where that is most of it."""
        ids = [row.ids[:-1] for row in rows]
        first = min(ids)
        shared = first[: common_prefix_length(first, max(ids))]
        known = max((common_prefix_length(shared, prefix) for prefix in self._prefixes), default=0)
        length = known if known >= MIN_SHARED_TOKENS and 2 * known >= len(shared) else len(shared)
        return shared[:length] if length >= MIN_SHARED_TOKENS else ()

    def _prefix_cache(self, prefix: tuple[int, ...]) -> Any:
        """The cache of a prompt that begins with the prefix."""
        known = next((longer for longer in self._prefixes if longer[: len(prefix)] == prefix), prefix)
        cache = self._prefixes.pop(known, None)
        if cache is None:
            ids = torch.tensor([prefix], device=self._model.device)
            cache = self._model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values
        if _nbytes(cache) <= self.max_bytes // 2:
            self._prefixes[known] = cache
        while (
            len(self._prefixes) > MAX_CACHED_PREFIXES
            or sum(map(_nbytes, self._prefixes.values())) > self.max_bytes // 2
        ):
            del self._prefixes[next(iter(self._prefixes))]
        return cache


class _BatchInputs:
    """Attention mask (B, S) and next positions (B,) of the rows still going; new tokens are padded on the left."""

    def __init__(
        self, rows: Sequence[GenerationRequest], shared: int, turns: Sequence[CachedMatch], device: torch.device
    ) -> None:
        self.shared = shared
        self._device = device
        self._tails = [row.ids[end:] for row, (_, end) in zip(rows, turns, strict=True)]
        self._next = torch.tensor([len(row.ids) for row in rows], device=device)
        self.mask = build_attention_mask(shared, turns, [len(tail) for tail in self._tails]).to(device)

    def first_input(self) -> tuple[torch.Tensor, torch.Tensor]:
        width = max(len(tail) for tail in self._tails)
        ids = torch.tensor([[0] * (width - len(tail)) + list(tail) for tail in self._tails], device=self._device)
        positions = self._next[:, None] - torch.arange(width, 0, -1, device=self._device)
        return ids, positions.clamp(min=0)

    def next_input(self, tokens: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(tokens), 1)], dim=1)
        ids, positions = torch.tensor(tokens, device=self._device)[:, None], self._next[:, None]
        self._next = self._next + 1
        return ids, positions

    def select(self, index: torch.Tensor) -> None:
        self.mask, self._next = self.mask[index], self._next[index]


def _nbytes(cache: Any) -> int:
    """Size of a prefix's cache."""
    return sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)


def _compacted_order(places: Sequence[int]) -> list[int]:
    """Ascending places in an order that moves the fewest: the last ones stand where one is missing."""
    count = len(places)
    late = [place for place in places if place >= count]
    staying = set(places)
    return [place if place in staying else late.pop() for place in range(count)]


def _sample(logits: torch.Tensor, rows: Sequence[GenerationRequest], generators: Sequence[random.Random]) -> list[int]:
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
