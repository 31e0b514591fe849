"""Compute a batch's shared prefixes once: its rows become a token trie, and TRL's trainer stays as it is.

TRL scores a batch by `model(input_ids, attention_mask, labels, fused_lm_head=True)`. Inside `share_prefixes(model)`
that call runs the backbone on the packed trie, each position attending to its ancestors only, and projects only the
positions that the loss reads, each once. Log-probs, losses and gradients are the same up to rounding.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from callwright.training.token_trie import Segment, TokenTrie, token_trie

ATTENTION = "callwright_trie"
IGNORED = -100
_SOFTCAPS = ("attn_logit_softcapping", "final_logit_softcapping")

_logger = logging.getLogger(__name__)


@contextmanager
def share_prefixes(model: Any) -> Iterator[bool]:
    """Let TRL's forward passes of this model share prefixes; yields whether they do.

    A model whose attention is not plain causal attention keeps its own forward, and one log line says so.

    Args:
        model: a causal language model, or a PEFT model of one, to which TRL has added its fused head.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    causal = model.get_base_model() if hasattr(model, "peft_config") else model
    reason = _why_not(causal)
    if reason:
        _logger.warning("prefixes are not shared: %s", reason)
        yield False
        return
    AttentionInterface.register(ATTENTION, _attention)
    AttentionMaskInterface.register(ATTENTION, sdpa_mask)
    plain, implementation = causal.forward, causal.config._attn_implementation

    def forward(*args: Any, fused_lm_head: bool = False, labels: Tensor | None = None, **kwargs: Any) -> Any:
        if not fused_lm_head or labels is None or args or set(kwargs) - {"input_ids", "attention_mask", "use_cache"}:
            return plain(*args, fused_lm_head=fused_lm_head, labels=labels, **kwargs)
        return _score(causal, kwargs["input_ids"], kwargs.get("attention_mask"), labels)

    causal.forward = forward
    causal.config._attn_implementation = ATTENTION
    try:
        yield True
    finally:
        causal.forward = plain
        causal.config._attn_implementation = implementation


def _why_not(model: Any) -> str:
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if not getattr(model, "_supports_attention_backend", False):
        return f"{type(model).__name__} does not use the library's attention interface"
    if kinds != {"full_attention"}:
        return f"{type(model).__name__} has layers of {', '.join(sorted(kinds - {'full_attention'}))}"
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        return f"{type(model).__name__} has a sliding window"
    if any(getattr(config, name, None) for name in _SOFTCAPS):
        return f"{type(model).__name__} caps its logits"
    return ""


def _score(model: Any, input_ids: Tensor, attention_mask: Tensor | None, labels: Tensor) -> Any:
    """Log-probs (B, L - 1) of the labels, 0 where a label is ignored, as TRL's fused head returns them."""
    from trl.trainer.utils import FusedCausalLMOutput, selective_log_softmax

    trie = token_trie(input_ids, attention_mask)
    anything = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=input_ids.device)  # a 4D mask is left as it is
    hidden = model.base_model(
        input_ids=trie.tokens, position_ids=trie.depths, attention_mask=anything, use_cache=False, trie=trie
    ).last_hidden_state[0]
    targets = labels[:, 1:]
    scored = targets != IGNORED
    wanted = torch.stack([trie.place[:, :-1][scored], targets[scored]])
    unique, back = torch.unique(wanted, dim=1, return_inverse=True)
    head = model.get_output_embeddings()
    logits = head(hidden[unique[0]]) * _scale(model.config.get_text_config())
    each = selective_log_softmax(logits.float(), unique[1])
    log_probs = each.new_zeros(targets.shape).masked_scatter(scored, each[back])
    loss = -log_probs.sum() / scored.sum().clamp(min=1)
    return FusedCausalLMOutput(loss=loss, log_probs=log_probs, label_mask=scored)


def _scale(config: Any) -> float:
    """Some models scale their logits; TRL reads the same names."""
    for name in ("logit_scale", "output_multiplier", "lm_head_multiplier"):
        if getattr(config, name, None) is not None:
            return float(getattr(config, name))
    scaling = getattr(config, "logits_scaling", None)
    return 1 / scaling if scaling else 1.0


def _attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, None]:
    """Attention of the packed row (1, heads, N, size), one segment at a time: no pair of strangers is computed."""
    from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward

    trie: TokenTrie | None = kwargs.pop("trie", None)
    if trie is None:
        plain: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
        return plain
    groups = getattr(module, "num_key_value_groups", 1)
    key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    parts = [
        _segment_attention(one, query, key, value, kwargs.get("scaling"), kwargs.get("dropout", 0.0))
        for one in trie.segments
    ]
    return torch.cat(parts, dim=2).transpose(1, 2).contiguous(), None


def _segment_attention(
    segment: Segment, query: Tensor, key: Tensor, value: Tensor, scaling: float | None, dropout: float
) -> Tensor:
    new = slice(segment.start, segment.end)
    keys, values = key[:, :, new], value[:, :, new]
    if segment.mask is not None:
        keys = torch.cat([key.index_select(2, segment.ancestors), keys], dim=2)
        values = torch.cat([value.index_select(2, segment.ancestors), values], dim=2)
    return scaled_dot_product_attention(
        query[:, :, new],
        keys,
        values,
        attn_mask=segment.mask,
        is_causal=segment.mask is None,
        dropout_p=dropout,
        scale=scaling,
    )
