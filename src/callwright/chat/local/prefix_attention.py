"""Attention of a batch whose sequences share a prefix: the prefix's keys and values are stored once.

With a copy of a long prompt in every sequence, decoding spends most of its time reading those keys from memory. Here
one matrix product computes the attention of all sequences to the prefix; then the two parts of the softmax are combined
exactly (Hydragen; Juravsky et al., 2024, arXiv 2402.05099).
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

ATTENTION_NAME = "callwright_prefix"
MAX_SCORES = 2**27  # attention scores that are in memory at once
FUSED_KERNEL = "_scaled_dot_product_flash_attention_for_cpu"  # a private operator of PyTorch: it may disappear
_SOFTCAPS = ("attn_logit_softcapping", "final_logit_softcapping")


class SharedPrefix:
    """The prefix's keys and values, and how many layers have used them.

    Attributes:
        states: (keys, values) per layer, each (key heads, tokens, head size).
    """

    def __init__(self, states: Sequence[tuple[Tensor, Tensor]]) -> None:
        self.states = states
        self.layers = 0


def unsupported_attention(model: Any) -> str:
    """Why a model's attention cannot use a shared prefix, in decoding or in training; empty: it can.

    Only plain causal attention through the library's attention interface can.
    """
    name, config = type(model).__name__, model.config.get_text_config()
    layer_types = set(getattr(config, "layer_types", None) or ["full_attention"])
    if not getattr(model, "_supports_attention_backend", False):
        return f"{name} does not use the library's attention interface"
    if layer_types != {"full_attention"}:
        return f"{name} has layers of {', '.join(sorted(layer_types - {'full_attention'}))}"
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        return f"{name} has a sliding window"
    if any(getattr(config, field, None) for field in _SOFTCAPS):
        return f"{name} caps its logits"
    if getattr(config, "alibi", False):
        return f"{name} adds to its attention by distance (ALiBi)"
    return ""


def enable_shared_prefix(model: Any) -> bool:
    """Let a model's forward pass take `shared_prefix=SharedPrefix(...)`; returns whether its attention supports it."""
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
    """Attention to the prefix and to each sequence's own T keys.

    Args:
        query: (sequences, heads, Q, head size).
        key, value: (sequences, key heads, T, head size), without the prefix.
        attention_mask: bool (sequences, 1, Q, T), True where a query may attend to one of the T keys; None: causal.

    Returns:
        (sequences, Q, heads, head size), and None for the attention weights.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    prefix: SharedPrefix | None = kwargs.pop("shared_prefix", None)
    if prefix is None:
        usual: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
        return usual
    prefix.layers += 1
    prefix_states = prefix.states[module.layer_idx]
    scaling = kwargs.get("scaling") or query.shape[-1] ** -0.5
    if attention_mask is None:
        allowed = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device)
        attention_mask = allowed.tril(key.shape[2] - query.shape[2])[None, None].expand(len(query), -1, -1, -1)
    fused = query.device.type == "cpu" and value.shape[-1] == query.shape[-1] and hasattr(torch.ops.aten, FUSED_KERNEL)
    attend = _attend_fused if fused else _attend_in_chunks
    output = attend(prefix_states, query * scaling, key, value, attention_mask)
    return output.transpose(1, 2).contiguous(), None


def _attend_fused(
    prefix_states: tuple[Tensor, Tensor], query: Tensor, key: Tensor, value: Tensor, mask: Tensor
) -> Tensor:
    """With PyTorch's kernel for CPUs, which also returns the logarithm of each softmax's denominator."""
    sequences, heads, length, size = query.shape
    key_heads = key.shape[1]
    group = heads // key_heads  # query heads per key head; they are adjacent
    joined = query.reshape(sequences, key_heads, -1, size).transpose(0, 1).reshape(1, key_heads, -1, size)
    kernel = partial(getattr(torch.ops.aten, FUSED_KERNEL), scale=1.0)
    far, far_log_sum = kernel(joined, prefix_states[0][None], prefix_states[1][None])
    bias = torch.zeros_like(mask, dtype=query.dtype).masked_fill_(~mask, torch.finfo(query.dtype).min)
    if group > 1:
        key, value = key.repeat_interleave(group, 1), value.repeat_interleave(group, 1)
    near, near_log_sum = kernel(query, key, value, attn_mask=bias)
    far = far.view(key_heads, sequences, group, length, size).transpose(0, 1).reshape(sequences, heads, length, size)
    far_log_sum = far_log_sum.view(key_heads, sequences, group, length).transpose(0, 1)
    far_log_sum = far_log_sum.reshape(sequences, heads, length)
    return torch.lerp(far, near, (near_log_sum - far_log_sum).sigmoid()[..., None].to(query.dtype))


def _attend_in_chunks(
    prefix_states: tuple[Tensor, Tensor], query: Tensor, key: Tensor, value: Tensor, mask: Tensor
) -> Tensor:
    """With matrix products, for as many sequences at once as MAX_SCORES allows."""
    scores_per_sequence = query.shape[1] * query.shape[2] * (prefix_states[0].shape[1] + key.shape[2])
    size = max(1, MAX_SCORES // scores_per_sequence)
    chunks = [slice(start, start + size) for start in range(0, len(query), size)]
    return torch.cat([_attend(prefix_states, query[part], key[part], value[part], mask[part]) for part in chunks])


def _attend(prefix_states: tuple[Tensor, Tensor], query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    sequences, heads, length, size = query.shape
    key_heads = key.shape[1]
    grouped = query.reshape(sequences, key_heads, -1, size)  # the query heads of a key head are adjacent
    joined = grouped.transpose(0, 1).reshape(key_heads, -1, size)
    far = (joined @ prefix_states[0].transpose(1, 2)).float()
    near = (grouped @ key.transpose(2, 3)).float().view(sequences, key_heads, -1, length, key.shape[2])
    near = near.masked_fill_(~mask[:, :, None], -torch.inf).flatten(2, 3)
    far_highest = far.amax(-1).view(key_heads, sequences, -1).transpose(0, 1)
    highest = torch.maximum(far_highest, near.amax(-1))[..., None]  # subtracted, so that exp does not overflow
    far = far.sub_(highest.transpose(0, 1).reshape(key_heads, -1, 1)).exp_()
    near = near.sub_(highest).exp_()
    total = far.sum(-1).view(key_heads, sequences, -1).transpose(0, 1) + near.sum(-1)
    output = (far.to(query.dtype) @ prefix_states[1]).view(key_heads, sequences, grouped.shape[2], -1).transpose(0, 1)
    output = (output + near.to(query.dtype) @ value) / total[..., None].to(query.dtype)
    return output.reshape(sequences, heads, length, -1)
