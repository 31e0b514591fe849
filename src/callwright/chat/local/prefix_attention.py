"""Attention of many rows that begin alike: each row's own keys are its own, the shared beginning's are there once.

Copied into every row, the keys of a long prompt are most of what decoding reads from memory. Here all rows' queries
meet them in one product, and the two parts of the softmax are put together exactly (Hydragen; Juravsky et al., 2024).
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

ATTENTION = "callwright_prefix"
ROOM = 2**27  # scores that are held at once
FUSED_KERNEL = "_scaled_dot_product_flash_attention_for_cpu"  # what PyTorch's own attention calls; not promised to stay
_SOFTCAPS = ("attn_logit_softcapping", "final_logit_softcapping")


class SharedPrefix:
    """Keys and values of the beginning, per layer (key heads, tokens, head size), and how many layers took them."""

    def __init__(self, states: Sequence[tuple[Tensor, Tensor]]) -> None:
        self.states = states
        self.layers = 0


def enable_shared_prefix(model: Any) -> bool:
    """Make a model read `shared_prefix=SharedPrefix(...)` in its forward pass, if its attention is plain and causal."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    config = model.config.get_text_config()
    plain = (
        getattr(model, "_supports_attention_backend", False)
        and set(getattr(config, "layer_types", None) or ["full_attention"]) == {"full_attention"}
        and not (getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True))
        and not any(getattr(config, name, None) for name in _SOFTCAPS)
        and not getattr(config, "alibi", False)
    )
    if plain:
        AttentionInterface.register(ATTENTION, _attention)
        AttentionMaskInterface.register(ATTENTION, sdpa_mask)
        model.config._attn_implementation = ATTENTION
    return bool(plain)


def _attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, None]:
    """Attention of query (rows, heads, Q, size) to the prefix and to the row's own T keys: (rows, Q, heads, size).

    The mask, (rows, 1, Q, T) and True where a query may look, is of the own keys; None: all, causally.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    prefix: SharedPrefix | None = kwargs.pop("shared_prefix", None)
    if prefix is None:
        plain: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
        return plain
    prefix.layers += 1
    beginning = prefix.states[module.layer_idx]
    scaling = kwargs.get("scaling") or query.shape[-1] ** -0.5
    if attention_mask is None:
        allowed = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device)
        attention_mask = allowed.tril(key.shape[2] - query.shape[2])[None, None].expand(len(query), -1, -1, -1)
    fused = query.device.type == "cpu" and value.shape[-1] == query.shape[-1] and hasattr(torch.ops.aten, FUSED_KERNEL)
    attend = _attend_fused if fused else _attend_in_chunks
    found = attend(beginning, query * scaling, key, value, attention_mask)
    return found.transpose(1, 2).contiguous(), None


def _attend_fused(beginning: tuple[Tensor, Tensor], query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """By PyTorch's own kernel for CPUs, which also tells the logarithm of what each softmax was divided by."""
    rows, heads, length, size = query.shape
    shared = key.shape[1]  # key heads; the queries of a group lie side by side
    group = heads // shared
    together = query.reshape(rows, shared, -1, size).transpose(0, 1).reshape(1, shared, -1, size)
    kernel = partial(getattr(torch.ops.aten, FUSED_KERNEL), scale=1.0)
    far, far_total = kernel(together, beginning[0][None], beginning[1][None])
    bias = torch.zeros_like(mask, dtype=query.dtype).masked_fill_(~mask, torch.finfo(query.dtype).min)
    if group > 1:
        key, value = key.repeat_interleave(group, 1), value.repeat_interleave(group, 1)
    near, near_total = kernel(query, key, value, attn_mask=bias)
    far = far.view(shared, rows, group, length, size).transpose(0, 1).reshape(rows, heads, length, size)
    far_total = far_total.view(shared, rows, group, length).transpose(0, 1).reshape(rows, heads, length)
    return torch.lerp(far, near, (near_total - far_total).sigmoid()[..., None].to(query.dtype))


def _attend_in_chunks(
    beginning: tuple[Tensor, Tensor], query: Tensor, key: Tensor, value: Tensor, mask: Tensor
) -> Tensor:
    """By products of matrices, as many rows at once as there is room for their scores."""
    rows = max(1, ROOM // (query.shape[1] * query.shape[2] * (beginning[0].shape[1] + key.shape[2])))
    parts = [slice(start, start + rows) for start in range(0, len(query), rows)]
    return torch.cat([_attend(beginning, query[part], key[part], value[part], mask[part]) for part in parts])


def _attend(beginning: tuple[Tensor, Tensor], query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    rows, heads, length, size = query.shape
    shared = key.shape[1]  # key heads; the queries of a group lie side by side
    grouped = query.reshape(rows, shared, -1, size)
    together = grouped.transpose(0, 1).reshape(shared, -1, size)
    far = (together @ beginning[0].transpose(1, 2)).float()
    near = (grouped @ key.transpose(2, 3)).float().view(rows, shared, -1, length, key.shape[2])
    near = near.masked_fill_(~mask[:, :, None], -torch.inf).flatten(2, 3)
    highest = torch.maximum(far.amax(-1).view(shared, rows, -1).transpose(0, 1), near.amax(-1))[..., None]
    far = far.sub_(highest.transpose(0, 1).reshape(shared, -1, 1)).exp_()
    near = near.sub_(highest).exp_()
    total = far.sum(-1).view(shared, rows, -1).transpose(0, 1) + near.sum(-1)
    found = (far.to(query.dtype) @ beginning[1]).view(shared, rows, grouped.shape[2], -1).transpose(0, 1)
    found = (found + near.to(query.dtype) @ value) / total[..., None].to(query.dtype)
    return found.reshape(rows, heads, length, -1)
