"""Attention to a shared prefix, compared with the library's attention with the prefix in every sequence."""

import random
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from transformers import (
    DeepseekV2Config,
    DeepseekV2ForCausalLM,
    DiffLlamaConfig,
    DiffLlamaForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
)
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from callwright.chat.local import prefix_attention
from callwright.chat.local.attention_support import unsupported_attention
from callwright.chat.local.decoding import Decoder
from callwright.chat.local.forward_pass import ForwardPass, RowSpan
from callwright.chat.local.generation import GenerationRequest
from callwright.chat.local.prefix_attention import enable_shared_prefix
from callwright.chat.local.prefix_cache import CachedPrefix
from callwright.chat.local.rows import Row, RowBuffers
from tests.chat.local.small_llama import SIZES, decode_without_cache, small_llama


@pytest.mark.parametrize("max_scores", [None, 2**20, 1])  # None: the fused kernel; 1: one sequence or query at a time
@pytest.mark.parametrize("new", [(1, 1, 1), (3, 2, 1)])  # new tokens of each row
@pytest.mark.parametrize("prefixes", [(0, 0, 0), (0, 1, 0), (0, None, 1), (None, None, None)])
def test_attention_of_rows_equals_the_librarys_attention_with_the_prefix_in_every_row(
    monkeypatch: pytest.MonkeyPatch, max_scores: int | None, new: tuple[int, ...], prefixes: tuple[int | None, ...]
):
    if max_scores:
        monkeypatch.setattr(prefix_attention, "MAX_SCORES", max_scores)
        monkeypatch.setattr(prefix_attention, "FUSED_KERNEL", "missing")
    torch.manual_seed(1)
    heads, key_heads, size = 4, 2, 8
    cached = [cached_prefix(length, key_heads, size) for length in (7, 5)]
    buffers, rows = RowBuffers(), []
    for stored, count, number in zip((4, 0, 70), new, prefixes, strict=True):  # the last one is in another buffer
        prefix = None if number is None else cached[number]
        length = 0 if prefix is None else len(prefix.ids)
        request = GenerationRequest((*range(length + stored + count),), 0.0, 1.0, 1, "")
        rows.append(Row(request, prefix, length, stored, random.Random(0)))
        keys, values = torch.randn(2, 1, key_heads, stored, size)
        buffers.add(rows[-1], (keys, values), count)
    spans = [RowSpan(buffer, 0, len(buffer.rows)) for buffer in buffers]
    assert len(spans) == 2
    forward_pass = ForwardPass(spans, torch.device("cpu"), torch.float32)
    width = max(new)
    query = torch.randn(3, heads, width, size)
    key, value = torch.randn(2, 3, key_heads, width, size)
    layer = SimpleNamespace(layer_idx=0, num_key_value_groups=heads // key_heads, training=False)
    stored_states = {id(row): buffer.states(index) for buffer in buffers for index, row in enumerate(buffer.rows)}
    stored_states = {name: (keys[0].clone(), values[0].clone()) for name, (keys, values) in stored_states.items()}
    output, _ = prefix_attention._attention(layer, query, key, value, None, scaling=0.3, forward_pass=forward_pass)
    assert forward_pass.layers == 1
    for index, row in enumerate(forward_pass.rows):
        count = new[rows.index(row)]
        prefix_states = row.prefix.states(row.prefix_length)[0] if row.prefix else torch.empty(2, key_heads, 0, size)
        all_keys, all_values = (
            torch.cat([before, stored, fresh[index, :, width - count :]], dim=1)[None]
            for before, stored, fresh in zip(prefix_states, stored_states[id(row)], (key, value), strict=True)
        )
        mask = torch.ones(count, all_keys.shape[2], dtype=torch.bool).tril(all_keys.shape[2] - count)[None, None]
        expected, _ = sdpa_attention_forward(
            layer, query[index : index + 1, :, width - count :], all_keys, all_values, mask, scaling=0.3
        )
        torch.testing.assert_close(output[index, width - count :], expected[0], rtol=1e-5, atol=1e-6)


def cached_prefix(length: int, key_heads: int, size: int) -> CachedPrefix:
    """A prefix of one layer with random keys and values."""
    keys, values = torch.randn(2, 1, key_heads, length, size)
    return CachedPrefix(tuple(range(length)), SimpleNamespace(layers=[SimpleNamespace(keys=keys, values=values)]))


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


def test_a_model_whose_layers_attend_twice_is_decoded_plainly():
    torch.manual_seed(0)
    model = DiffLlamaForCausalLM(DiffLlamaConfig(**SIZES, max_position_embeddings=256)).eval()
    requests = [GenerationRequest((*range(20), token), 0.0, 1.0, 4, "") for token in (30, 31, 32)]
    expected = [decode_without_cache(model, request.ids, 4) for request in requests]
    assert Decoder(model, frozenset()).decode_batch(requests) == expected


def test_a_model_whose_cache_has_other_keys_than_its_attention_is_decoded_plainly():
    torch.manual_seed(0)
    sizes = {"kv_lora_rank": 16, "q_lora_rank": None, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 8}
    config = DeepseekV2Config(
        **SIZES | {"num_key_value_heads": 4}, **sizes, first_k_dense_replace=2, max_position_embeddings=256
    )
    model = DeepseekV2ForCausalLM(config).eval()
    requests = [GenerationRequest((*range(20), token), 0.0, 1.0, 4, "") for token in (30, 31, 32)]
    expected = [decode_without_cache(model, request.ids, 4) for request in requests]
    assert Decoder(model, frozenset()).decode_batch(requests) == expected


def test_a_model_whose_angles_depend_on_the_whole_batch_does_not_share_prefixes():
    rope = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}
    model = LlamaForCausalLM(LlamaConfig(**SIZES, max_position_embeddings=256, rope_parameters=rope))
    assert unsupported_attention(model).endswith("depend on the longest sequence of a batch (dynamic)")
    assert not enable_shared_prefix(model)
    assert not unsupported_attention(small_llama())


def test_a_model_that_does_not_pass_the_prefix_to_its_layers_is_decoded_plainly():
    model = small_llama()
    requests = [GenerationRequest((*range(20), token), 0.0, 1.0, 4, "") for token in (30, 31, 32)]
    expected = [decode_without_cache(model, request.ids, 4) for request in requests]
    decoder, original_forward = Decoder(model, frozenset()), model.forward

    def forward(*args: object, forward_pass: object = None, **kwargs: object) -> object:
        return original_forward(*args, **kwargs)

    model.forward = forward
    assert decoder.decode_batch(requests) == expected
