"""Compute the shared prefixes of a training batch once, without changes to TRL's trainer.

TRL scores a batch with `model(input_ids, attention_mask, labels, fused_lm_head=True)`. Inside `share_prefixes(model)`
this call merges the batch into a token trie and runs the backbone on it: each position attends only to its ancestors.
The output layer computes each position that the loss reads, once. Log-probs, losses and gradients are the same up to
rounding.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from callwright.chat.local.attention_support import unsupported_attention
from callwright.preferences.dialogue import IGNORED_LABEL
from callwright.training.token_trie import Segment, TokenTrie, token_trie

ATTENTION_NAME = "callwright_trie"
_SUPPORTED_ARGUMENTS = {"input_ids", "attention_mask", "use_cache", "return_dict"}

_logger = logging.getLogger(__name__)


class _PackedLayout:
    """The attention mask of the packed sequence (block mask or segments), and how many layers have used it.

    Not a dataclass: FSDP copies dataclasses on their way into a layer, so the layer would count in the copy.
    """

    def __init__(self, mask: Any) -> None:
        self.mask = mask
        self.layers_called = 0


@contextmanager
def share_prefixes(model: Any, *, flex: bool | None = None) -> Iterator[bool]:
    """Share prefixes in TRL's forward passes of this model; yields whether the model's attention supports it.

    A model with another attention than plain causal attention keeps its own forward pass, and a log line says why. The
    same happens if the first pass shows that the model does not pass the mask to its layers.

    Args:
        model: a causal language model, or a PEFT model of one, to which TRL has added its fused head.
        flex: use compiled FlexAttention; None: only if the model is on a CUDA device.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    causal = model.get_base_model() if hasattr(model, "peft_config") else model
    reason = unsupported_attention(causal)
    if reason:
        _logger.warning("prefixes are not shared: %s", reason)
        yield False
        return
    AttentionInterface.register(ATTENTION_NAME, _attention)
    AttentionMaskInterface.register(ATTENTION_NAME, sdpa_mask)
    original_forward, original_attention = causal.forward, causal.config._attn_implementation
    use_flex = causal.device.type == "cuda" if flex is None else flex
    drops_mask = False

    def forward(*args: Any, fused_lm_head: bool = False, labels: Tensor | None = None, **kwargs: Any) -> Any:
        nonlocal drops_mask
        passed = {name for name, value in kwargs.items() if value is not None}  # PEFT passes all it knows, as None
        if not (drops_mask or not fused_lm_head or labels is None or args or passed - _SUPPORTED_ARGUMENTS):
            scores = _score_packed(causal, kwargs["input_ids"], kwargs.get("attention_mask"), labels, flex=use_flex)
            if scores is not None:
                return scores
            drops_mask = True
            _logger.warning("prefixes are not shared: %s does not pass the mask to its layers", type(causal).__name__)
        return original_forward(*args, fused_lm_head=fused_lm_head, labels=labels, **kwargs)

    causal.forward = forward
    causal.config._attn_implementation = ATTENTION_NAME
    try:
        yield True
    finally:
        causal.forward = original_forward
        causal.config._attn_implementation = original_attention


def _score_packed(model: Any, input_ids: Tensor, attention_mask: Tensor | None, labels: Tensor, *, flex: bool) -> Any:
    """Score a batch, all tensors (B, L), on its packed trie.

    Returns:
        The output of TRL's fused head: fields of shape (B, L - 1), 0 at ignored labels. None if a layer did not get the
        mask.
    """
    from trl.trainer.utils import FusedCausalLMOutput

    trie = token_trie(input_ids, attention_mask)
    placeholder_mask = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=input_ids.device)  # 4D masks are not changed
    layout = _PackedLayout(_block_mask(trie) if flex else trie.segments)
    hidden = model.base_model(
        input_ids=trie.tokens, position_ids=trie.depths, attention_mask=placeholder_mask, use_cache=False, trie=layout
    ).last_hidden_state[0]
    if layout.layers_called < model.config.get_text_config().num_hidden_layers:
        return None
    targets = labels[:, 1:]
    scored = targets != IGNORED_LABEL
    position_targets = torch.stack([trie.packed_index[:, :-1][scored], targets[scored]])
    unique, inverse = torch.unique(position_targets, dim=1, return_inverse=True)
    logits = model.get_output_embeddings()(hidden[unique[0]]).float() * _logit_scale(model.config.get_text_config())
    fields = {
        name: values.new_zeros(targets.shape).masked_scatter(scored, values[inverse])
        for name, values in _token_scores(logits, unique[1]).items()
    }
    loss = -fields["log_probs"].sum() / scored.sum().clamp(min=1)
    return FusedCausalLMOutput(loss=loss, label_mask=scored, **fields)


def _token_scores(logits: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """Scores of M positions, each (M,), from logits (M, V) and target tokens (M,).

    `log_probs` of the targets has a gradient; the other scores, which TRL logs and uses as weights, have none.
    """
    log_probs = logits.log_softmax(-1)
    with torch.no_grad():
        logged_values = {
            "entropy": -(log_probs.exp() * log_probs).sum(-1),
            "log_sum_sq_probs": (2 * log_probs).logsumexp(-1),
            "mean_logits": logits.mean(-1),
            "is_top1": logits.argmax(-1) == targets,
        }
    return {"log_probs": log_probs.gather(-1, targets[:, None])[:, 0], **logged_values}


def _logit_scale(config: Any) -> float:
    """The factor by which a model scales its logits; TRL reads the same config fields."""
    for name in ("logit_scale", "output_multiplier", "lm_head_multiplier"):
        if getattr(config, name, None) is not None:
            return float(getattr(config, name))
    scaling = getattr(config, "logits_scaling", None)
    return 1 / scaling if scaling else 1.0


def _block_mask(trie: TokenTrie) -> Any:
    """Attention mask of the packed sequence for FlexAttention, which skips blocks in which no position may attend."""
    from torch.nn.attention.flex_attention import create_block_mask

    ends, size = trie.subtree_ends, len(trie.subtree_ends)

    def descends(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (key <= query) & (query < ends[key])

    return create_block_mask(descends, B=None, H=None, Q_LEN=size, KV_LEN=size, device=ends.device)


def _attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, None]:
    """Attention of the packed sequence: query, key, value (1, heads, N, head size), result (1, N, heads, head size)."""
    from transformers.integrations.flex_attention import flex_attention_forward
    from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward

    layout: _PackedLayout | None = kwargs.pop("trie", None)
    if layout is None:
        usual: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
        return usual
    layout.layers_called += 1
    mask, scaling, dropout = layout.mask, kwargs.get("scaling"), kwargs.get("dropout", 0.0)
    if not isinstance(mask, tuple):
        return flex_attention_forward(module, query, key, value, mask, scaling=scaling, dropout=dropout)[0], None
    groups = getattr(module, "num_key_value_groups", 1)
    key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    parts = [_segment_attention(segment, query, key, value, scaling, dropout) for segment in mask]
    return torch.cat(parts, dim=2).transpose(1, 2).contiguous(), None


def _segment_attention(
    segment: Segment, query: Tensor, key: Tensor, value: Tensor, scaling: float | None, dropout: float
) -> Tensor:
    """Attention of one segment's queries to its ancestors and to itself; no other pair of positions is computed."""
    positions = slice(segment.start, segment.end)
    keys, values = key[:, :, positions], value[:, :, positions]
    if segment.mask is not None:
        keys = torch.cat([key.index_select(2, segment.ancestors), keys], dim=2)
        values = torch.cat([value.index_select(2, segment.ancestors), values], dim=2)
    return scaled_dot_product_attention(
        query[:, :, positions],
        keys,
        values,
        attn_mask=segment.mask,
        is_causal=segment.mask is None,
        dropout_p=dropout,
        scale=scaling,
    )
