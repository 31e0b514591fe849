"""Continuous batching: requests join and leave the rows that are being decoded at any token.

A prompt that many requests begin with, and the earlier turns of a conversation, are computed once.
"""

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from callwright.chat.local.cache import CachedSequence, KeyValues, SequenceCache
from callwright.chat.local.device import cache_budget_bytes
from callwright.chat.local.forward_pass import ForwardPass, RowSpan
from callwright.chat.local.generation import GenerationRequest, sample_tokens
from callwright.chat.local.plain_decoding import decode_plainly, is_finished
from callwright.chat.local.prefix_attention import enable_shared_prefix
from callwright.chat.local.prefix_cache import CachedPrefix, Ids, PrefixCache
from callwright.chat.local.rows import Row, RowBuffers, width_for

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MAX_PADDED_TOKENS = 4_096  # of several requests' new tokens in one forward pass
MAX_STRETCH = 1.25  # of the longest request's new tokens to the shortest one's in a forward pass

Finished = tuple[GenerationRequest, list[int]]
"""A request and its new token ids, including the stop token if one was generated."""


class Decoder:
    """Continues prompts with one model, and caches keys and values of prompts and conversations for later requests.

    Args:
        max_rows: largest number of requests that are decoded at the same time.
        max_bytes: limit in bytes for the cached keys and values on the model's device, half for prompts, half for
            conversations; None: a share of the memory that is free now. Requests join while the rows in flight, which
            grow later, take less than that. The limit changes the speed, never the results.
    """

    def __init__(
        self, model: "PreTrainedModel", stop_ids: frozenset[int], max_bytes: int | None = None, max_rows: int = 64
    ) -> None:
        self.max_bytes = cache_budget_bytes(model.device) if max_bytes is None else max_bytes
        self.max_rows = max_rows
        self._model = model
        self._stop_ids = stop_ids
        self._can_share = enable_shared_prefix(model)
        self._prefix_cache = PrefixCache(self.max_bytes // 2, self._compute_prefix)
        self._sequence_cache = SequenceCache(self.max_bytes // 2)
        self._buffers = RowBuffers()
        self._no_states: KeyValues | None = None  # of no token; known after the first forward pass

    @property
    def rows(self) -> int:
        """Number of requests in flight."""
        return len(self._buffers)

    @property
    def cached_bytes(self) -> int:
        """Size of all cached keys and values in bytes, without those of requests in flight."""
        return self._sequence_cache.nbytes + self._prefix_cache.nbytes

    def decode_batch(self, requests: Sequence[GenerationRequest]) -> list[list[int]]:
        """New token ids per request, including the stop token if one was generated."""
        waiting, replies = list(requests), dict[int, list[int]]()
        while len(replies) < len(requests):
            chosen = self.choose(waiting)
            chosen_ids = set(map(id, chosen))
            waiting = [request for request in waiting if id(request) not in chosen_ids]
            replies |= {id(request): tokens for request, tokens in self.step(chosen)}
        return [replies[id(request)] for request in requests]

    def choose(self, waiting: Sequence[GenerationRequest]) -> list[GenerationRequest]:
        """The waiting requests that may join now: as many as have room, those with a cached prompt first."""
        free = self.max_rows - self.rows
        if not waiting or free <= 0:
            return []
        if not self._can_share:
            return list(waiting[:free])
        chosen = list[GenerationRequest]()
        in_flight = {row.request.prompt: row.prefix.nbytes if row.prefix else 0 for row in self._buffers.rows}
        nbytes = sum(in_flight.values())
        row_bytes = self._buffers.used_bytes
        for request in sorted(waiting, key=self._is_new_prompt):
            if len(chosen) == free:
                break
            prefix_bytes = 0 if request.prompt in in_flight else self._prefix_cache.expected_bytes(request.ids)
            request_bytes = self._prefix_cache.bytes_per_token * width_for(len(request.ids))
            fits = not prefix_bytes or nbytes + prefix_bytes <= self.max_bytes // 2
            fits = fits and row_bytes + request_bytes <= self.max_bytes
            if fits or not (chosen or self.rows):
                chosen.append(request)
                in_flight[request.prompt] = prefix_bytes
                nbytes, row_bytes = nbytes + prefix_bytes, row_bytes + request_bytes
        return chosen

    def _is_new_prompt(self, request: GenerationRequest) -> bool:
        return not self._prefix_cache.cached_length(request.prompt, request.ids)

    @torch.inference_mode()
    def step(self, new: Sequence[GenerationRequest]) -> list[Finished]:
        """Let requests join, and generate a token of every request in flight.

        If it raises, all requests in flight are lost: see `drop`.

        Returns:
            The requests that are finished.
        """
        if not self._can_share:
            return self._decode_plainly(new)
        finished = list[Finished]()
        for row_spans in self._spans_of_new(new):
            finished_now = self._forward(row_spans)
            if finished_now is None:
                self._can_share = False
                self.drop()
                return self._decode_plainly(new)
            finished += finished_now
        if self.rows:
            self._buffers.widen()
            finished += self._forward([RowSpan(buffer, 0, len(buffer.rows)) for buffer in self._buffers]) or []
        return finished

    def drop(self) -> None:
        """Forget the requests in flight."""
        self._buffers = RowBuffers()

    def _decode_plainly(self, requests: Sequence[GenerationRequest]) -> list[Finished]:
        if not requests:
            return []
        return list(zip(requests, decode_plainly(self._model, requests, self._stop_ids), strict=True))

    def _spans_of_new(self, new: Sequence[GenerationRequest]) -> Iterator[list[RowSpan]]:
        """Add the requests to the buffers, so many at a time as one forward pass takes, and yield these rows.

        Rows of one pass have about as many new tokens, because shorter ones are padded.
        """
        joining = []
        for request, prefix, length in self._with_prefixes(new):
            match, end = self._sequence_cache.longest_match(request.ids[:-1], length)
            row = Row(request, prefix, length, end - length, random.Random(request.seed))
            joining.append((len(request.ids) - end, row, match))
        joining.sort(key=lambda entry: entry[0])
        while joining:
            shortest = joining[0][0]
            count = 1
            while count < len(joining):
                longest = joining[count][0]
                if longest > MAX_STRETCH * shortest + 2 or longest * (count + 1) > MAX_PADDED_TOKENS:
                    break
                count += 1
            part, joining = joining[:count], joining[count:]
            starts = {id(buffer): len(buffer.rows) for buffer in self._buffers}
            for new_tokens, row, match in part:
                end = row.prefix_length + row.length
                states = match.states_between(row.prefix_length, end) if match else self._states_of_no_token()
                self._buffers.add(row, states, new_tokens)
            spans = [RowSpan(buffer, starts.get(id(buffer), 0), len(buffer.rows)) for buffer in self._buffers]
            yield [span for span in spans if span.start < span.end]

    def _with_prefixes(
        self, new: Sequence[GenerationRequest]
    ) -> Iterator[tuple[GenerationRequest, CachedPrefix | None, int]]:
        """Each request with a cached prefix and how many of its tokens it shares; (None, 0) if it shares too few."""
        by_prompt: dict[str, list[GenerationRequest]] = {}
        for request in new:
            by_prompt.setdefault(request.prompt, []).append(request)
        for prompt, requests in by_prompt.items():
            sequences = [request.ids[:-1] for request in requests]
            length = self._prefix_cache.shared_length(prompt, sequences)
            prefix = self._prefix_cache.get(prompt, sequences[0][:length]) if length else None
            for request in requests:
                yield request, prefix, length

    def _forward(self, spans: Sequence[RowSpan]) -> list[Finished] | None:
        """Generate a token of each of these rows; remove and return those that are finished.

        None if a layer of the model did not use the forward pass exactly once, or not as its cache does. The first pass
        shows it.
        """
        forward_pass = ForwardPass(spans, self._model.device, self._model.dtype)
        output = self._model(
            input_ids=forward_pass.ids,
            attention_mask=forward_pass.ids.new_ones(1, 1, 1, 1, dtype=torch.bool),  # four dimensions: not looked at
            position_ids=forward_pass.positions,
            use_cache=False,
            logits_to_keep=1,
            forward_pass=forward_pass,
        )
        if forward_pass.is_unusable or forward_pass.layers != len(self._states_of_no_token()[0]):
            return None
        forward_pass.end()
        rows = forward_pass.rows
        logits = output.logits[:, -1].float()
        tokens = sample_tokens(logits, [row.request for row in rows], [row.generator for row in rows])
        for row, token in zip(rows, tokens, strict=True):
            row.generated.append(token)
        finished = [row for row in rows if is_finished(row.request, row.generated, self._stop_ids)]
        if finished:
            self._cache_rows(finished)
            self._buffers.remove(finished)
        return [(row.request, row.generated) for row in finished]

    def _cache_rows(self, finished: Sequence[Row]) -> None:
        """Copy the keys and values of finished rows for the next turns of their conversations."""
        finished_ids = set(map(id, finished))
        for buffer in self._buffers:
            for index, row in enumerate(buffer.rows):
                if id(row) in finished_ids:
                    keys, values = buffer.states(index)
                    ids = (*row.request.ids, *row.generated[:-1])
                    states = (keys.clone(), values.clone())
                    self._sequence_cache.add(CachedSequence(ids, row.prefix_length, states))

    def _compute_prefix(self, prefix: Ids) -> Any:
        ids = torch.tensor([prefix], device=self._model.device)
        cache = self._model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values
        keys, values = zip(*((layer.keys[0, :, :0], layer.values[0, :, :0]) for layer in cache.layers), strict=True)
        self._no_states = torch.stack(keys), torch.stack(values)
        return cache

    def _states_of_no_token(self) -> KeyValues:
        """Keys and values of an empty sequence, which tell their shapes."""
        if self._no_states is None:
            self._compute_prefix((0,))
        assert self._no_states is not None
        return self._no_states
