"""Batched decoding of a causal language model. Shared prompts and earlier turns are computed once.

The sample of a sequence depends on its seed only: each token takes one uniform number from the sequence's generator, so
the other sequences of the batch do not change it (up to floating-point ties).
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

from callwright.chat.local.batch import BatchInputs, GenerationRequest, compacted_order
from callwright.chat.local.cache import CachedSequence, SequenceCache, cache_after_prefixes
from callwright.chat.local.device import cache_budget_bytes
from callwright.chat.local.prefix_attention import SharedPrefixes, enable_shared_prefix
from callwright.chat.local.prefix_cache import CachedPrefix, Ids, PrefixCache

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True)
class _SharedPrompt:
    """Requests of one prompt.

    Attributes:
        indices: of the requests.
        length: number of tokens of the prefix that all of them share.
        prefix: begins with it.
    """

    indices: Sequence[int]
    length: int
    prefix: CachedPrefix


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
        self._prefix_cache = PrefixCache(self.max_bytes // 2, self._compute_prefix)
        self._sequence_cache = SequenceCache(self.max_bytes // 2)

    @torch.inference_mode()
    def decode_batch(self, requests: Sequence[GenerationRequest]) -> list[list[int]]:
        """New token ids per request, including the stop token if one was generated.

        Requests of several prompts are decoded together; the attention to each prompt's prefix is computed once for
        all requests that begin with it.

        Raises:
            DecodingStopped: `stop` was called from another thread.
        """
        generated: dict[int, list[int]] = {}
        for shared in self._batches_with_prefixes(requests):
            generated |= self._decode_after_prefixes(shared, requests)
        plain = [index for index in range(len(requests)) if index not in generated]
        if plain:
            generated |= self._decode_plain(plain, requests)
        return [generated[index] for index in range(len(requests))]

    def _batches_with_prefixes(self, requests: Sequence[GenerationRequest]) -> Iterator[list[_SharedPrompt]]:
        """The prompts whose requests share a prefix, so many at once as may be in memory."""
        members: dict[str, list[int]] = defaultdict(list)
        for index, request in enumerate(requests):
            members[request.prompt].append(index)
        batch, nbytes = list[_SharedPrompt](), 0
        for prompt, indices in members.items() if self._can_share else ():
            sequences = [requests[index].ids[:-1] for index in indices]
            length = self._prefix_cache.shared_length(prompt, sequences)
            if not length or not self._can_share:
                continue
            prefix = self._prefix_cache.get(prompt, sequences[0][:length])
            if batch and nbytes + prefix.nbytes > self._prefix_cache.max_bytes:
                yield batch
                batch, nbytes = [], 0
            batch.append(_SharedPrompt(indices, length, prefix))
            nbytes += prefix.nbytes
        if batch:
            yield batch

    def _decode_after_prefixes(
        self, shared: Sequence[_SharedPrompt], requests: Sequence[GenerationRequest]
    ) -> dict[int, list[int]]:
        """Index of a request -> new token ids; empty if a layer of the model did not use the prefixes."""
        indices = [index for prompt in shared for index in prompt.indices]
        lengths = [prompt.length for prompt in shared for _ in prompt.indices]
        part = [requests[index] for index in indices]
        matches = [
            self._sequence_cache.longest_match(request.ids[:-1], length)
            for request, length in zip(part, lengths, strict=True)
        ]
        max_new = max(len(request.ids) - end for request, (_, end) in zip(part, matches, strict=True))
        prefixes = SharedPrefixes(
            [prompt.prefix.states(prompt.length) for prompt in shared],
            [number for number, prompt in enumerate(shared) for _ in prompt.indices],
        )
        cache = cache_after_prefixes(shared[0].prefix.cache, lengths, matches, max_new)
        generated = self._decode(part, cache, BatchInputs(part, lengths, matches, self._model.device), prefixes)
        if generated is None:
            self._can_share = False  # the model does not pass shared_prefix to its layers
            return {}
        return dict(zip(indices, generated, strict=True))

    def _decode_plain(self, indices: Sequence[int], requests: Sequence[GenerationRequest]) -> dict[int, list[int]]:
        part = [requests[index] for index in indices]
        inputs = BatchInputs(part, [0] * len(part), [(None, 0)] * len(part), self._model.device)
        generated = self._decode(part, DynamicCache(config=self._model.config), inputs, None)
        assert generated is not None
        return dict(zip(indices, generated, strict=True))

    def stop(self) -> None:
        """End the current batch at its next token, and decode no further batches."""
        self._stopping = True

    @property
    def cached_bytes(self) -> int:
        """Size of all cached keys and values in bytes."""
        return self._sequence_cache.nbytes + self._prefix_cache.nbytes

    def uncached_token_count(self, request: GenerationRequest) -> int:
        """How many tokens of a request have no cached keys and values."""
        ids = request.ids[:-1]
        cached = self._prefix_cache.cached_length(request.prompt, ids)
        return len(request.ids) - self._sequence_cache.longest_match(ids, cached)[1]

    def _decode(
        self,
        requests: Sequence[GenerationRequest],
        cache: Any,
        inputs: BatchInputs,
        prefixes: SharedPrefixes | None,
    ) -> list[list[int]] | None:
        """New token ids per request; None if a layer of the model did not use the shared prefixes."""
        shared_prefix = {} if prefixes is None else {"shared_prefix": prefixes}
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
            if prefixes is not None and prefixes.is_unused:
                return None
            cache = output.past_key_values
            active_requests = [requests[i] for i in active]
            tokens = _sample(output.logits[:, -1].float(), active_requests, [generators[i] for i in active])
            unfinished = []  # indices in the batch
            for index, (i, token) in enumerate(zip(active, tokens, strict=True)):
                generated[i].append(token)
                if token not in self._stop_ids and len(generated[i]) < requests[i].max_tokens:
                    unfinished.append(index)
                elif prefixes is not None:
                    self._cache_sequence(requests[i], generated[i], index, cache, inputs)
            if not unfinished:
                return generated
            if len(unfinished) < len(active):
                order = compacted_order(unfinished)
                active = [active[index] for index in order]
                indices = torch.tensor(order, device=self._model.device)
                cache.batch_select_indices(indices)
                inputs.select(indices)
                if prefixes is not None:
                    prefixes.select(order)
                tokens = [tokens[index] for index in order]
            ids, positions = inputs.next_input(tokens)

    def _cache_sequence(
        self, request: GenerationRequest, generated: Sequence[int], index: int, cache: Any, inputs: BatchInputs
    ) -> None:
        """Cache the keys and values of the finished sequence at `index` of the batch."""
        ids = (*request.ids, *generated[:-1])
        positions = inputs.mask[index].nonzero()[:, 0]
        layers = tuple(layer.select_states(index, positions) for layer in cache.layers)
        self._sequence_cache.add(CachedSequence(ids, len(ids) - len(positions), layers))

    def _compute_prefix(self, prefix: Ids) -> Any:
        ids = torch.tensor([prefix], device=self._model.device)
        return self._model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values


def _sample(
    logits: torch.Tensor, requests: Sequence[GenerationRequest], generators: Sequence[random.Random]
) -> list[int]:
    """One token per sequence from logits (B, V): greedy at temperature 0, else by inverse CDF.

    Only a top-p nucleus needs the tokens sorted by probability, which takes most of the time; otherwise they are in the
    vocabulary's order.
    """
    greedy = logits.argmax(-1)
    if all(request.temperature == 0 for request in requests):
        return [int(token) for token in greedy.tolist()]
    temperatures = torch.tensor([request.temperature or 1.0 for request in requests], device=logits.device)
    probabilities = (logits / temperatures[:, None]).softmax(-1)
    uniform = torch.tensor([generator.random() for generator in generators], device=logits.device)
    sampled = _inverse_cdf(probabilities.cumsum(-1), uniform)
    nucleus = [index for index, request in enumerate(requests) if request.temperature and request.top_p < 1]
    if nucleus:
        top_p = torch.tensor([requests[index].top_p for index in nucleus], device=logits.device)
        sampled[nucleus] = _sample_nucleus(probabilities[nucleus], top_p, uniform[nucleus])
    return [
        int(best if request.temperature == 0 else token)
        for request, best, token in zip(requests, greedy.tolist(), sampled.tolist(), strict=True)
    ]


def _sample_nucleus(probabilities: torch.Tensor, top_p: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """Token ids (B,) from the likeliest tokens whose probabilities (B, V) add up to top_p (B,)."""
    sorted_probabilities, order = probabilities.sort(dim=-1, descending=True, stable=True)
    before = sorted_probabilities.cumsum(-1) - sorted_probabilities
    cumulative = torch.where(before < top_p[:, None], sorted_probabilities, 0.0).cumsum(-1)
    return order.gather(-1, _inverse_cdf(cumulative, uniform)[:, None])[:, 0]


def _inverse_cdf(cumulative: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """Indices (B,) into distributions, given as cumulative sums (B, V) up to any total."""
    thresholds = uniform * cumulative[:, -1]
    return torch.searchsorted(cumulative, thresholds[:, None])[:, 0].clamp(max=cumulative.shape[-1] - 1)
