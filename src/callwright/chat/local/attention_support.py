"""Which models' attention can share a prefix."""

from typing import Any

_SOFTCAPS = ("attn_logit_softcapping", "final_logit_softcapping")
_BATCH_DEPENDENT_ROPE = ("dynamic", "longrope")


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
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    if rope.get("rope_type") in _BATCH_DEPENDENT_ROPE:
        return f"{name} turns keys by angles that depend on the longest sequence of a batch ({rope['rope_type']})"
    if getattr(config, "alibi", False):
        return f"{name} adds to its attention by distance (ALiBi)"
    return ""
