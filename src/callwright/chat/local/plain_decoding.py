"""Decoding for models whose attention cannot share prefixes: a fixed batch, which ends with its longest reply."""

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

from callwright.chat.local.generation import GenerationRequest, sample_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def decode_plainly(
    model: "PreTrainedModel", requests: Sequence[GenerationRequest], stop_ids: frozenset[int]
) -> list[list[int]]:
    """New token ids per request, including the stop token if one was generated."""
    width = max(len(request.ids) for request in requests)
    device = model.device
    padded = [[0] * (width - len(request.ids)) + list(request.ids) for request in requests]
    ids = torch.tensor(padded, device=device)
    lengths = torch.tensor([len(request.ids) for request in requests], device=device)
    mask = (torch.arange(width, device=device) >= width - lengths[:, None]).long()
    positions = (lengths[:, None] - torch.arange(width, 0, -1, device=device)).clamp(min=0)
    cache: Any = DynamicCache(config=model.config)
    active = list(range(len(requests)))  # for each sequence of the batch, the index of its request
    generated: list[list[int]] = [[] for _ in requests]
    generators = [random.Random(request.seed) for request in requests]
    while True:
        output = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache = output.past_key_values
        logits = output.logits[:, -1].float()
        tokens = sample_tokens(logits, [requests[i] for i in active], [generators[i] for i in active])
        for i, token in zip(active, tokens, strict=True):
            generated[i].append(token)
        kept = [index for index, i in enumerate(active) if not is_finished(requests[i], generated[i], stop_ids)]
        if not kept:
            return generated
        if len(kept) < len(active):
            active = [active[index] for index in kept]
            indices = torch.tensor(kept, device=device)
            cache.batch_select_indices(indices)
            mask, lengths = mask[indices], lengths[indices]
        ids, positions = torch.tensor([generated[i][-1:] for i in active], device=device), lengths[:, None]
        mask, lengths = torch.cat([mask, mask.new_ones(len(active), 1)], dim=1), lengths + 1


def is_finished(request: GenerationRequest, generated: Sequence[int], stop_ids: frozenset[int]) -> bool:
    """Whether a reply ends with its last token."""
    return generated[-1] in stop_ids or len(generated) >= request.max_tokens
