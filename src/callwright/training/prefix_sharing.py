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

ATTENTION_NAME = "callwright_trie"
IGNORED_LABEL = -100
_SUPPORTED_ARGUMENTS = {"input_ids", "attention_mask", "use_cache", "return_dict"}
_SOFTCAPS = ("attn_logit_softcapping", "final_logit_softcapping")

_logger = logging.getLogger(__name__)


class _PackedLayout:
    """Who sees whom in the packed row, as a block mask or as segments, and how many layers have asked for it.

    Not a dataclass: FSDP copies those on their way into a layer, and the copy would count.
    """

    def __init__(self, mask: Any) -> None:
        self.mask = mask
        self.layers = 0


@contextmanager
def share_prefixes(model: Any, *, flex: bool | None = None) -> Iterator[bool]:
    """Let TRL's forward passes of this model share prefixes; yields whether they do.

    A model whose attention is not plain causal attention keeps its own forward, and one log line says so; so does one
    whose first pass shows that its layers do not hand the mask on.

    Args:
        model: a causal language model, or a PEFT model of one, to which TRL has added its fused head.
        flex: compute attention by FlexAttention, compiled; None: where the model lies on a CUDA device.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    causal = model.get_base_model() if hasattr(model, "peft_config") else model
    reason = _unsupported_reason(causal)
    if reason:
        _logger.warning("prefixes are not shared: %s", reason)
        yield False
        return
    AttentionInterface.register(ATTENTION_NAME, _attention)
    AttentionMaskInterface.register(ATTENTION_NAME, sdpa_mask)
    plain, implementation = causal.forward, causal.config._attn_implementation
    with_flex = causal.device.type == "cuda" if flex is None else flex
    unfit = False

    def forward(*args: Any, fused_lm_head: bool = False, labels: Tensor | None = None, **kwargs: Any) -> Any:
        nonlocal unfit
        given = {name for name, value in kwargs.items() if value is not None}  # PEFT passes all it knows, as None
        if not (unfit or not fused_lm_head or labels is None or args or given - _SUPPORTED_ARGUMENTS):
            scores = _score_packed(causal, kwargs["input_ids"], kwargs.get("attention_mask"), labels, flex=with_flex)
            if scores is not None:
                return scores
            unfit = True
            _logger.warning("prefixes are not shared: %s does not hand the mask to its layers", type(causal).__name__)
        return plain(*args, fused_lm_head=fused_lm_head, labels=labels, **kwargs)

    causal.forward = forward
    causal.config._attn_implementation = ATTENTION_NAME
    try:
        yield True
    finally:
        causal.forward = plain
        causal.config._attn_implementation = implementation


def _unsupported_reason(model: Any) -> str:
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
    if getattr(config, "alibi", False):
        return f"{type(model).__name__} adds to its attention by distance (ALiBi)"
    return ""


def _score_packed(model: Any, input_ids: Tensor, attention_mask: Tensor | None, labels: Tensor, *, flex: bool) -> Any:
    """What TRL's fused head returns, (B, L - 1) and 0 where a label is ignored; None where a layer misses the mask."""
    from trl.trainer.utils import FusedCausalLMOutput

    trie = token_trie(input_ids, attention_mask)
    anything = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=input_ids.device)  # a 4D mask is left as it is
    layout = _PackedLayout(_block_mask(trie) if flex else trie.segments)
    hidden = model.base_model(
        input_ids=trie.tokens, position_ids=trie.depths, attention_mask=anything, use_cache=False, trie=layout
    ).last_hidden_state[0]
    if layout.layers < model.config.get_text_config().num_hidden_layers:
        return None
    targets = labels[:, 1:]
    scored = targets != IGNORED_LABEL
    wanted = torch.stack([trie.place[:, :-1][scored], targets[scored]])
    unique, back = torch.unique(wanted, dim=1, return_inverse=True)
    logits = model.get_output_embeddings()(hidden[unique[0]]).float() * _logit_scale(model.config.get_text_config())
    fields = {
        name: values.new_zeros(targets.shape).masked_scatter(scored, values[back])
        for name, values in _token_scores(logits, unique[1]).items()
    }
    loss = -fields["log_probs"].sum() / scored.sum().clamp(min=1)
    return FusedCausalLMOutput(loss=loss, label_mask=scored, **fields)


def _token_scores(logits: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """Per position (M,) of logits (M, V): its target's log-prob, and without gradient what TRL logs and weighs by."""
    every = logits.log_softmax(-1)
    with torch.no_grad():
        watched = {
            "entropy": -(every.exp() * every).sum(-1),
            "log_sum_sq_probs": (2 * every).logsumexp(-1),
            "mean_logits": logits.mean(-1),
            "is_top1": logits.argmax(-1) == targets,
        }
    return {"log_probs": every.gather(-1, targets[:, None])[:, 0], **watched}


def _logit_scale(config: Any) -> float:
    """Some models scale their logits; TRL reads the same names."""
    for name in ("logit_scale", "output_multiplier", "lm_head_multiplier"):
        if getattr(config, name, None) is not None:
            return float(getattr(config, name))
    scaling = getattr(config, "logits_scaling", None)
    return 1 / scaling if scaling else 1.0


def _block_mask(trie: TokenTrie) -> Any:
    """Who sees whom in the packed row, in blocks: blocks of strangers are skipped."""
    from torch.nn.attention.flex_attention import create_block_mask

    ends, size = trie.ends, len(trie.ends)

    def descends(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (key <= query) & (query < ends[key])

    return create_block_mask(descends, B=None, H=None, Q_LEN=size, KV_LEN=size, device=ends.device)


def _attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, None]:
    """Attention of the packed row, query (1, heads, N, size), result (1, N, heads, size)."""
    from transformers.integrations.flex_attention import flex_attention_forward
    from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward

    layout: _PackedLayout | None = kwargs.pop("trie", None)
    if layout is None:
        plain: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
        return plain
    layout.layers += 1
    mask, scaling, dropout = layout.mask, kwargs.get("scaling"), kwargs.get("dropout", 0.0)
    if not isinstance(mask, tuple):
        return flex_attention_forward(module, query, key, value, mask, scaling=scaling, dropout=dropout)[0], None
    groups = getattr(module, "num_key_value_groups", 1)
    key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    parts = [_segment_attention(one, query, key, value, scaling, dropout) for one in mask]
    return torch.cat(parts, dim=2).transpose(1, 2).contiguous(), None


def _segment_attention(
    segment: Segment, query: Tensor, key: Tensor, value: Tensor, scaling: float | None, dropout: float
) -> Tensor:
    """Attention of one segment's queries to its ancestors and itself: no pair of strangers is computed."""
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
