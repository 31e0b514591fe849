"""Attention of a batch whose sequences share a prefix: the prefix's keys and values are stored once.

With a copy of a long prompt in every sequence, decoding spends most of its time reading those keys from memory. Here
one matrix product computes the attention of all sequences to the prefix; then the two parts of the softmax are combined
exactly (Hydragen; Juravsky et al., 2024, arXiv 2402.05099).
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

ATTENTION_NAME = "callwright_prefix"
MAX_SCORES = 2**27  # attention scores that are in memory at once
FUSED_KERNEL = "_scaled_dot_product_flash_attention_for_cpu"  # a private operator of PyTorch: it may disappear
_SOFTCAPS = ("attn_logit_softcapping", "final_logit_softcapping")


States = tuple[Tensor, Tensor]
"""One layer's keys and values of a prefix, each (key heads, tokens, head size)."""
Prefixes = Sequence[tuple[States, Tensor]]
"""Prefixes, and the indices of the sequences that begin with each; together all sequences of a batch."""


class SharedPrefixes:
    """Prefixes that the sequences of a batch share, and how many layers have used them.

    Args:
        states: per prefix and layer.
        prefix_of: for each sequence of the batch, the index of its prefix.
    """

    def __init__(self, states: Sequence[Sequence[States]], prefix_of: Sequence[int]) -> None:
        self._states = states
        self.layers = 0
        self._prefix_of = list(prefix_of)
        self.select(range(len(prefix_of)))

    def select(self, indices: Sequence[int]) -> None:
        """Keep only the sequences at these indices, in this order."""
        self._prefix_of = [self._prefix_of[index] for index in indices]
        sequences: dict[int, list[int]] = defaultdict(list)
        for index, prefix in enumerate(self._prefix_of):
            sequences[prefix].append(index)
        device = self._states[0][0][0].device
        self._used = [(prefix, torch.tensor(members, device=device)) for prefix, members in sequences.items()]

    @property
    def is_unused(self) -> bool:
        """Whether a layer of the model has not used the prefixes in the forward passes so far."""
        return self.layers < len(self._states[0])

    def of_layer(self, layer: int) -> "Prefixes":
        """Each prefix that a sequence begins with, and the indices (n,) of these sequences."""
        return [(self._states[number][layer], members) for number, members in self._used]


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
    """Let a model's forward pass take `shared_prefix=SharedPrefixes(...)`; returns whether its attention can."""
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
    """Attention to its prefix and to each sequence's own T keys.

    Args:
        query: (sequences, heads, Q, head size).
        key, value: (sequences, key heads, T, head size), without the prefix.
        attention_mask: bool (sequences, 1, Q, T), True where a query may attend to one of the T keys; None: causal.

    Returns:
        (sequences, Q, heads, head size), and None for the attention weights.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    prefixes: SharedPrefixes | None = kwargs.pop("shared_prefix", None)
    if prefixes is None:
        usual: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
        return usual
    prefixes.layers += 1
    scaling = kwargs.get("scaling") or query.shape[-1] ** -0.5
    if attention_mask is None:
        allowed = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device)
        attention_mask = allowed.tril(key.shape[2] - query.shape[2])[None, None].expand(len(query), -1, -1, -1)
    fused = query.device.type == "cpu" and value.shape[-1] == query.shape[-1] and hasattr(torch.ops.aten, FUSED_KERNEL)
    attend = _attend_fused if fused else _attend_in_chunks
    output = attend(prefixes.of_layer(module.layer_idx), query * scaling, key, value, attention_mask)
    return output.transpose(1, 2).contiguous(), None


def _attend_fused(prefixes: Prefixes, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """With PyTorch's kernel for CPUs, which also returns the logarithm of each softmax's denominator."""
    group = query.shape[1] // key.shape[1]
    bias = torch.zeros_like(mask, dtype=query.dtype).masked_fill_(~mask, torch.finfo(query.dtype).min)
    if group > 1:
        key, value = key.repeat_interleave(group, 1), value.repeat_interleave(group, 1)
    near, near_log_sum = _kernel(query, key, value, attn_mask=bias)
    if len(prefixes) == 1:  # all sequences share it
        far, far_log_sum = _attend_to_prefix(prefixes[0][0], query)
    else:
        far, far_log_sum = torch.empty_like(near), torch.empty_like(near_log_sum)
        for states, sequences in prefixes:
            far[sequences], far_log_sum[sequences] = _attend_to_prefix(states, query[sequences])
    return torch.lerp(far, near, (near_log_sum - far_log_sum).sigmoid()[..., None].to(query.dtype))


def _attend_to_prefix(states: States, query: Tensor) -> tuple[Tensor, Tensor]:
    """The attention of sequences to a prefix that all of them share, and the logarithms of the denominators.

    Returns:
        (sequences, heads, Q, head size), (sequences, heads, Q).
    """
    sequences, heads, length, size = query.shape
    key_heads = states[0].shape[0]
    group = heads // key_heads  # query heads per key head; they are adjacent
    joined = query.reshape(sequences, key_heads, -1, size).transpose(0, 1).reshape(1, key_heads, -1, size)
    far, log_sum = _kernel(joined, states[0][None], states[1][None])
    far = far.view(key_heads, sequences, group, length, size).transpose(0, 1).reshape(sequences, heads, length, size)
    log_sum = log_sum.view(key_heads, sequences, group, length).transpose(0, 1)
    return far, log_sum.reshape(sequences, heads, length)


def _kernel(query: Tensor, key: Tensor, value: Tensor, **kwargs: Tensor) -> tuple[Tensor, Tensor]:
    result: tuple[Tensor, Tensor] = getattr(torch.ops.aten, FUSED_KERNEL)(query, key, value, scale=1.0, **kwargs)
    return result


def _attend_in_chunks(prefixes: Prefixes, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """With matrix products, for as many sequences of one prefix at once as MAX_SCORES allows."""
    output = torch.empty_like(query)
    for states, sequences in prefixes:
        scores_per_sequence = query.shape[1] * query.shape[2] * (states[0].shape[1] + key.shape[2])
        for part in torch.split(sequences, max(1, MAX_SCORES // scores_per_sequence)):
            output[part] = _attend(states, query[part], key[part], value[part], mask[part])
    return output


def _attend(prefix_states: States, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
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
