"""A model of two layers with random weights, and the tokens that it would write."""

import torch
from transformers import LlamaConfig, LlamaForCausalLM

SIZES = {
    "vocab_size": 60,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}


def small_llama() -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(**SIZES, max_position_embeddings=256)).eval()


def decode_without_cache(model: LlamaForCausalLM, ids: tuple[int, ...], count: int) -> list[int]:
    """The most likely next tokens, each computed from the whole sequence."""
    tokens: list[int] = []
    with torch.inference_mode():
        for _ in range(count):
            tokens.append(int(model(torch.tensor([[*ids, *tokens]])).logits[0, -1].argmax()))
    return tokens
