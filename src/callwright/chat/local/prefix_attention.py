"""Attention of rows that share prefixes: the keys and values of each prefix are stored once.

With a copy of a long prompt in every sequence, decoding spends most of its time reading those keys from memory. Here
one matrix product computes the attention of all sequences to their prefix; then the two parts of the softmax are
combined exactly (Hydragen; Juravsky et al., 2024, arXiv 2402.05099).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from callwright.chat.local.attention_support import unsupported_attention
from callwright.chat.local.forward_pass import ForwardPass, NearStates, States

ATTENTION_NAME = "callwright_prefix"
MAX_SCORES = 2**27  # attention scores that are in memory at once
FUSED_KERNEL = "_scaled_dot_product_flash_attention_for_cpu"  # a private operator of PyTorch: it may disappear

Attended = tuple[Tensor, Tensor]
"""The output of an attention (..., Q, head size), and the logarithm of each softmax's denominator (..., Q)."""


def enable_shared_prefix(model: Any) -> bool:
    """Let a model's forward pass take `forward_pass=ForwardPass(...)`; returns whether its attention can."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    if unsupported_attention(model):
        return False
    AttentionInterface.register(ATTENTION_NAME, _attention)
    AttentionMaskInterface.register(ATTENTION_NAME, sdpa_mask)
    model.config._attn_implementation = ATTENTION_NAME
    return True


def _attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, None]:
    """Attention to each row's prefix and to its tokens after it. Without a `forward_pass`, the library's.

    Args:
        query: (B, heads, W, head size), of the forward pass's new tokens.
        key, value: (B, key heads, W, head size), of the same tokens.
        attention_mask: only read without a `forward_pass`.

    Returns:
        (B, W, heads, head size), and None for the attention weights.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    forward_pass: ForwardPass | None = kwargs.pop("forward_pass", None)
    if forward_pass is None:
        usual: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
        return usual
    layer = module.layer_idx
    forward_pass.layers += 1
    if not forward_pass.store(layer, key, value):  # the result is not used: see `ForwardPass.is_unusable`
        unused: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, None, **kwargs)
        return unused
    query = query * (kwargs.get("scaling") or query.shape[-1] ** -0.5)
    near, near_log_sum = _in_parts(
        query, [(part.batch, part) for part in forward_pass.near(layer)], _attend_near, value.shape[-1]
    )
    prefixes = [(sequences, states) for states, sequences in forward_pass.prefixes(layer)]
    far, far_log_sum = _in_parts(query, prefixes, _attend_far, value.shape[-1])
    output = torch.lerp(far, near, (near_log_sum - far_log_sum).sigmoid()[..., None].to(query.dtype))
    return output.transpose(1, 2).contiguous(), None


def _in_parts(query: Tensor, parts: Sequence[tuple[Any, Any]], attend: Any, size: int) -> Attended:
    """The attention of parts of the batch, each to keys and values of its own.

    Args:
        parts: indices of sequences, and what `attend` needs for them. Sequences in no part attend to nothing: their
            output is 0, and so is their softmax's denominator.
        size: head size of the values.
    """
    if len(parts) == 1 and (isinstance(parts[0][0], slice) or len(parts[0][0]) == len(query)):
        result: Attended = attend(query, parts[0][1])
        return result
    output = query.new_zeros(*query.shape[:3], size)
    log_sum = torch.full(query.shape[:3], -torch.inf, dtype=torch.float32, device=query.device)
    for indices, states in parts:
        output[indices], log_sum[indices] = attend(query[indices], states)
    return output, log_sum


def _attend_near(query: Tensor, near: NearStates) -> Attended:
    """The attention of n sequences (n, heads, W, head size), each to its own keys."""
    sequences, heads, length, size = query.shape
    key_heads = near.keys.shape[1]
    # The query heads of a key head are adjacent: they become further queries, so that no key is copied.
    grouped = query.reshape(sequences, key_heads, -1, size)
    bias = near.bias
    if heads > key_heads:
        bias = bias[:, :, None].expand(-1, -1, heads // key_heads, -1, -1).flatten(2, 3)
    output, log_sum = _attend(grouped, near.keys, near.values, bias)
    return output.reshape(sequences, heads, length, -1), log_sum.reshape(sequences, heads, length)


def _attend_far(query: Tensor, states: States) -> Attended:
    """The attention of n sequences (n, heads, W, head size) to a prefix that all of them share."""
    sequences, heads, length, size = query.shape
    key_heads = states[0].shape[0]
    group = heads // key_heads
    joined = query.reshape(sequences, key_heads, -1, size).transpose(0, 1).reshape(1, key_heads, -1, size)
    output, log_sum = _attend(joined, states[0][None], states[1][None], None)
    output = output.view(key_heads, sequences, group, length, -1).transpose(0, 1)
    log_sum = log_sum.view(key_heads, sequences, group, length).transpose(0, 1)
    return output.reshape(sequences, heads, length, -1), log_sum.reshape(sequences, heads, length)


def _attend(query: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Attended:
    """Attention of scaled queries (n, key heads, Q, head size), by PyTorch's fused kernel where that can."""
    if query.device.type == "cpu" and values.shape[-1] == query.shape[-1] and hasattr(torch.ops.aten, FUSED_KERNEL):
        options = {} if bias is None else {"attn_mask": bias}
        fused: Attended = getattr(torch.ops.aten, FUSED_KERNEL)(query, keys, values, scale=1.0, **options)
        return fused
    return _attend_in_chunks(query, keys, values, bias)


def _attend_in_chunks(query: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Attended:
    """With matrix products, for as many sequences or queries at once as MAX_SCORES allows."""
    output = query.new_empty(*query.shape[:3], values.shape[-1])
    log_sum = query.new_empty(query.shape[:3], dtype=torch.float32)
    dimension = 0 if len(query) > 1 else 2  # sequences, or the queries of a single one
    scores_of_each = query.shape[1] * keys.shape[2] * (query.shape[2] if dimension == 0 else 1)
    step = max(1, MAX_SCORES // scores_of_each)
    for start in range(0, query.shape[dimension], step):
        chunk = (*[slice(None)] * dimension, slice(start, start + step))
        chunk_keys, chunk_values = (keys[chunk], values[chunk]) if dimension == 0 else (keys, values)
        scores = (query[chunk] @ chunk_keys.transpose(2, 3)).float()
        if bias is not None:
            scores += bias[chunk]
        log_sum[chunk] = scores.logsumexp(-1)
        output[chunk] = scores.softmax(-1).to(query.dtype) @ chunk_values
    return output, log_sum
