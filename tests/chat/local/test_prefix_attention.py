"""Attention to a shared prefix, compared with the library's attention with the prefix in every sequence."""

import random
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from transformers import Gemma2Config, Gemma2ForCausalLM, LlamaConfig, LlamaForCausalLM
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from callwright.chat.local import prefix_attention
from callwright.chat.local.decoding import Decoder, GenerationRequest
from callwright.chat.local.prefix_attention import SharedPrefixes, enable_shared_prefix

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


@pytest.mark.parametrize("max_scores", [None, 2**20, 1])  # None: the fused kernel; 1: one sequence at a time
@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize("masked", [True, False])
def test_attention_to_a_shared_prefix_equals_the_librarys_attention(
    monkeypatch, max_scores: int | None, length: int, masked: bool
):
    if max_scores:
        monkeypatch.setattr(prefix_attention, "MAX_SCORES", max_scores)
        monkeypatch.setattr(prefix_attention, "_attend_fused", prefix_attention._attend_in_chunks)
    torch.manual_seed(1)
    sequences, heads, key_heads, size, prefix_length, suffix_length = 3, 4, 2, 8, 7, 5
    query = torch.randn(sequences, heads, length, size)
    key, value = torch.randn(2, sequences, key_heads, suffix_length, size)
    prefix_key, prefix_value = torch.randn(2, key_heads, prefix_length, size)
    mask = torch.ones(length, suffix_length, dtype=torch.bool).tril(suffix_length - length)[None, None]
    mask = mask.repeat(sequences, 1, 1, 1)
    if masked:
        mask[0, :, :, :2] = False  # a sequence with fewer tokens after the prefix
    layer = SimpleNamespace(layer_idx=0, num_key_value_groups=heads // key_heads, training=False)
    prefix = SharedPrefixes([[(prefix_key, prefix_value)]], [0] * sequences)
    output, _ = prefix_attention._attention(
        layer, query, key, value, mask if masked else None, scaling=0.3, shared_prefix=prefix
    )
    prefix_mask = torch.ones(sequences, 1, length, prefix_length, dtype=torch.bool)
    expected, _ = sdpa_attention_forward(
        layer,
        query,
        torch.cat([prefix_key.expand(sequences, -1, -1, -1), key], dim=2),
        torch.cat([prefix_value.expand(sequences, -1, -1, -1), value], dim=2),
        torch.cat([prefix_mask, mask], dim=-1),
        scaling=0.3,
    )
    torch.testing.assert_close(output, expected, rtol=1e-5, atol=1e-6)
    assert prefix.layers == 1


def test_a_batch_with_a_shared_prefix_decodes_the_same_tokens_as_without_a_cache():
    model, rng = small_llama(), random.Random(2)
    prefix = tuple(rng.randrange(60) for _ in range(40))
    requests = [
        GenerationRequest((*prefix, *(rng.randrange(60) for _ in range(rng.randrange(1, 9)))), 0.0, 1.0, 5, str(seed))
        for seed in range(6)
    ]
    expected = [decode_without_cache(model, request.ids, 5) for request in requests]
    assert Decoder(model, frozenset()).decode_batch(requests) == expected


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("max_bytes", [0, 30_000, 10**9])  # a prefix of 40 tokens takes 10 kB
def test_requests_of_several_prompts_in_a_batch_get_the_same_tokens_as_without_a_cache(
    monkeypatch: pytest.MonkeyPatch, fused: bool, max_bytes: int
):
    if not fused:
        monkeypatch.setattr(prefix_attention, "FUSED_KERNEL", "missing")
    model, rng = small_llama(), random.Random(3)

    def ids(count: int) -> tuple[int, ...]:
        return tuple(rng.randrange(60) for _ in range(count))

    prompts = {name: ids(length) for name, length in (("a", 40), ("b", 25), ("c", 33), ("short", 3))}
    requests = [
        GenerationRequest((*prompts[prompt], *ids(rng.randrange(1, 9))), 0.0, 1.0, rng.randrange(1, 6), "", prompt)
        for prompt in ("a", "b", "a", "c", "short", "b", "a", "short")
    ]
    decoder = Decoder(model, frozenset(), max_bytes)
    for _ in range(3):
        replies = decoder.decode_batch(requests)
        assert replies == [decode_without_cache(model, request.ids, request.max_tokens) for request in requests]
        assert decoder.cached_bytes <= max_bytes
        requests = [
            replace(request, ids=(*request.ids, *reply, *ids(4)))
            for request, reply in zip(requests, replies, strict=True)
        ]


def test_a_prompts_prefix_is_computed_once_for_many_prompts():
    model, rng = small_llama(), random.Random(4)
    tokens = list[int]()
    model.register_forward_pre_hook(
        lambda _module, _args, kwargs: tokens.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    prompts = {f"view {number}": tuple(rng.randrange(60) for _ in range(40)) for number in range(20)}
    decoder = Decoder(model, frozenset())
    for turn in range(2):
        decoder.decode_batch(
            [
                GenerationRequest((*ids, number, turn), 0.0, 1.0, 1, "", name)
                for name, ids in prompts.items()
                for number in range(2)
            ]
        )
    assert tokens == [
        *[40] * 20,
        2 * 40,
        40,
    ]  # 20 prefixes; 2 tokens after it in each of 40 requests; then 1, as 1 is cached


def test_a_model_with_sliding_windows_keeps_its_attention():
    torch.manual_seed(0)
    config = Gemma2Config(
        **SIZES, head_dim=8, sliding_window=8, max_position_embeddings=256, attn_implementation="eager"
    )
    model = Gemma2ForCausalLM(config).eval()
    assert not enable_shared_prefix(model)
    requests = [GenerationRequest((*range(20), token), 0.0, 1.0, 4, "") for token in (30, 31, 32)]
    expected = [decode_without_cache(model, request.ids, 4) for request in requests]
    assert Decoder(model, frozenset()).decode_batch(requests) == expected


def test_a_model_that_does_not_pass_the_prefix_to_its_layers_is_decoded_plainly():
    model = small_llama()
    requests = [GenerationRequest((*range(20), token), 0.0, 1.0, 4, "") for token in (30, 31, 32)]
    expected = [decode_without_cache(model, request.ids, 4) for request in requests]
    decoder, original_forward = Decoder(model, frozenset()), model.forward

    def forward(*args: object, shared_prefix: object = None, **kwargs: object) -> object:
        return original_forward(*args, **kwargs)

    model.forward = forward
    assert decoder.decode_batch(requests) == expected
