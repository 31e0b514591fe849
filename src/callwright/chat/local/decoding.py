"""Batched decoding of a causal language model. Shared prompts and earlier turns are computed once.

The sample of a sequence depends on its seed only: each token takes one uniform number from the sequence's generator, so
the other sequences of the batch do not change it (up to floating-point ties).
"""

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

from callwright.chat.local.batch import BatchInputs, GenerationRequest, compacted_order
from callwright.chat.local.cache import CachedSequence, SequenceCache, cache_after_prefix, common_prefix_length
from callwright.chat.local.device import cache_budget_bytes
from callwright.chat.local.prefix_attention import SharedPrefix, enable_shared_prefix

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MIN_SHARED_TOKENS = 16  # sharing a shorter prefix is not worth it
MAX_CACHED_PREFIXES = 8  # one per task, and some more


class DecodingStopped(Exception):  # noqa: N818 - it is not an error
    """`Decoder.stop` was called."""


class Decoder:
    """Continues prompts with one model, and caches keys and values of prompts and conversations for later requests.

    Args:
        max_bytes: limit in bytes for the cached keys and values on the model's device, half for prompts, half for
            conversations; None: a share of the memory that is free now. The limit changes the speed, never the results.
    """

    def __init__(self, model: "PreTrainedModel", stop_ids: frozenset[int], max_bytes: int | None = None) -> None:
        self.max_bytes = cache_budget_bytes(model.device) if max_bytes is None else max_bytes
        self._stopping = False
        self._model = model
        self._stop_ids = stop_ids
        self._can_share = enable_shared_prefix(model)
        self._prefix_caches: dict[tuple[int, ...], Any] = {}  # caches by token ids, the latest last
        self._sequence_cache = SequenceCache(self.max_bytes // 2)

    @torch.inference_mode()
    def decode_batch(self, requests: Sequence[GenerationRequest]) -> list[list[int]]:
        """New token ids per request, including the stop token if one was generated.

        Raises:
            DecodingStopped: `stop` was called from another thread.
        """
        prefix = self._shared_prefix(requests) if self._can_share else ()
        if prefix:
            matches = [self._sequence_cache.longest_match(request.ids[:-1], len(prefix)) for request in requests]
            max_new = max(len(request.ids) - end for request, (_, end) in zip(requests, matches, strict=True))
            prefix_cache = self._prefix_cache(prefix)
            shared = SharedPrefix(
                [(layer.keys[0, :, : len(prefix)], layer.values[0, :, : len(prefix)]) for layer in prefix_cache.layers]
            )
            cache = cache_after_prefix(prefix_cache, len(prefix), matches, max_new)
            inputs = BatchInputs(requests, len(prefix), matches, self._model.device)
            generated = self._decode(requests, cache, inputs, {"shared_prefix": shared})
            if generated is not None:
                return generated
            self._can_share = False  # the model does not pass shared_prefix to its layers
        plain_cache = DynamicCache(config=self._model.config)
        inputs = BatchInputs(requests, 0, [(None, 0)] * len(requests), self._model.device)
        generated = self._decode(requests, plain_cache, inputs, {})
        assert generated is not None
        return generated

    def stop(self) -> None:
        """End the current batch at its next token, and decode no further batches."""
        self._stopping = True

    @property
    def cached_bytes(self) -> int:
        """Size of all cached keys and values in bytes."""
        return self._sequence_cache.nbytes + sum(map(_nbytes, self._prefix_caches.values()))

    def uncached_token_count(self, request: GenerationRequest) -> int:
        """How many tokens of a request have no cached keys and values."""
        ids = request.ids[:-1]
        cached = max((common_prefix_length(ids, prefix) for prefix in self._prefix_caches), default=0)
        return len(request.ids) - self._sequence_cache.longest_match(ids, cached)[1]

    def _decode(
        self,
        requests: Sequence[GenerationRequest],
        cache: Any,
        inputs: BatchInputs,
        shared_prefix: dict[str, SharedPrefix],
    ) -> list[list[int]] | None:
        """New token ids per request; None if a layer of the model did not use the shared prefix.

        Args:
            shared_prefix: the argument of the model's forward pass; empty without a shared prefix.
        """
        ids, positions = inputs.first_input()
        active = list(range(len(requests)))  # for each sequence of the batch, the index of its request
        generated: list[list[int]] = [[] for _ in requests]
        generators = [random.Random(request.seed) for request in requests]
        while True:
            if self._stopping:
                raise DecodingStopped
            output = self._model(
                input_ids=ids,
                attention_mask=inputs.mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
                **shared_prefix,
            )
            if any(prefix.layers < len(prefix.states) for prefix in shared_prefix.values()):
                return None
            cache = output.past_key_values
            active_requests = [requests[i] for i in active]
            tokens = _sample(output.logits[:, -1].float(), active_requests, [generators[i] for i in active])
            unfinished = []  # indices in the batch
            for index, (i, token) in enumerate(zip(active, tokens, strict=True)):
                generated[i].append(token)
                if token not in self._stop_ids and len(generated[i]) < requests[i].max_tokens:
                    unfinished.append(index)
                elif inputs.prefix_length:
                    self._cache_sequence((*requests[i].ids, *generated[i][:-1]), index, cache, inputs)
            if not unfinished:
                return generated
            if len(unfinished) < len(active):
                order = compacted_order(unfinished)
                active = [active[index] for index in order]
                indices = torch.tensor(order, device=self._model.device)
                cache.batch_select_indices(indices)
                inputs.select(indices)
                tokens = [tokens[index] for index in order]
            ids, positions = inputs.next_input(tokens)

    def _cache_sequence(self, ids: tuple[int, ...], index: int, cache: Any, inputs: BatchInputs) -> None:
        """Cache the keys and values of the finished sequence at `index` of the batch."""
        positions = inputs.mask[index].nonzero()[:, 0]
        layers = tuple(layer.select_states(index, positions) for layer in cache.layers)
        self._sequence_cache.add(CachedSequence(ids, inputs.prefix_length, layers))

    def _shared_prefix(self, requests: Sequence[GenerationRequest]) -> tuple[int, ...]:
        """The prefix that all requests share, or only its cached part if that is at least half of it."""
        ids = [request.ids[:-1] for request in requests]
        first = min(ids)
        shared = first[: common_prefix_length(first, max(ids))]
        cached = max((common_prefix_length(shared, prefix) for prefix in self._prefix_caches), default=0)
        length = cached if cached >= MIN_SHARED_TOKENS and 2 * cached >= len(shared) else len(shared)
        return shared[:length] if length >= MIN_SHARED_TOKENS else ()

    def _prefix_cache(self, prefix: tuple[int, ...]) -> Any:
        """The cache of a prompt that begins with the prefix."""
        key = next((longer for longer in self._prefix_caches if longer[: len(prefix)] == prefix), prefix)
        cache = self._prefix_caches.pop(key, None)
        if cache is None:
            ids = torch.tensor([prefix], device=self._model.device)
            cache = self._model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values
        if _nbytes(cache) <= self.max_bytes // 2:
            self._prefix_caches[key] = cache
        while (
            len(self._prefix_caches) > MAX_CACHED_PREFIXES
            or sum(map(_nbytes, self._prefix_caches.values())) > self.max_bytes // 2
        ):
            del self._prefix_caches[next(iter(self._prefix_caches))]
        return cache


def _nbytes(cache: Any) -> int:
    """Size of a prefix's cache in bytes."""
    return sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)


def _sample(
    logits: torch.Tensor, requests: Sequence[GenerationRequest], generators: Sequence[random.Random]
) -> list[int]:
    """One token per sequence from logits (B, V): greedy at temperature 0, else by inverse CDF in the top-p nucleus."""
    greedy = logits.argmax(-1)
    if all(request.temperature == 0 for request in requests):
        return [int(token) for token in greedy.tolist()]
    temperatures = torch.tensor([request.temperature or 1.0 for request in requests], device=logits.device)
    probabilities, order = (logits / temperatures[:, None]).softmax(-1).sort(dim=-1, descending=True, stable=True)
    cumulative = probabilities.cumsum(-1)
    top_p = torch.tensor([request.top_p for request in requests], device=logits.device)
    total = torch.where(cumulative - probabilities < top_p[:, None], probabilities, 0.0).sum(-1)
    uniform = torch.tensor([generator.random() for generator in generators], device=logits.device)
    ranks = torch.searchsorted(cumulative, (uniform * total)[:, None]).clamp(max=logits.shape[-1] - 1)
    sampled = order.gather(-1, ranks)[:, 0].tolist()
    return [
        int(best if request.temperature == 0 else token)
        for request, best, token in zip(requests, greedy.tolist(), sampled, strict=True)
    ]
