"""Attention to a beginning that is there once, against the library's own attention with the beginning in every row."""

import random
from types import SimpleNamespace

import pytest
import torch
from transformers import Gemma2Config, Gemma2ForCausalLM, LlamaConfig, LlamaForCausalLM
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from callwright.chat.local import prefix_attention
from callwright.chat.local.decoding import Decoder, GenerationRequest
from callwright.chat.local.prefix_attention import SharedPrefix, enable_shared_prefix

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


def by_hand(model: LlamaForCausalLM, ids: tuple[int, ...], count: int) -> list[int]:
    """The likeliest next tokens, each from the whole sequence anew, without any cache."""
    made: list[int] = []
    with torch.inference_mode():
        for _ in range(count):
            made.append(int(model(torch.tensor([[*ids, *made]])).logits[0, -1].argmax()))
    return made


@pytest.mark.parametrize("room", [None, 2**20, 1])  # None: the fused kernel; 1: a row at a time
@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize("masked", [True, False])
def test_the_two_parts_together_are_the_whole_attention(monkeypatch, room: int | None, length: int, masked: bool):
    if room:
        monkeypatch.setattr(prefix_attention, "ROOM", room)
        monkeypatch.setattr(prefix_attention, "_attend_fused", prefix_attention._attend_in_chunks)
    torch.manual_seed(1)
    rows, heads, shared, size, beginning, own = 3, 4, 2, 8, 7, 5
    query = torch.randn(rows, heads, length, size)
    key, value = torch.randn(2, rows, shared, own, size)
    first_key, first_value = torch.randn(2, shared, beginning, size)
    mask = torch.ones(length, own, dtype=torch.bool).tril(own - length)[None, None].repeat(rows, 1, 1, 1)
    if masked:
        mask[0, :, :, :2] = False  # a row with less of its own
    layer = SimpleNamespace(layer_idx=0, num_key_value_groups=heads // shared, training=False)
    given = SharedPrefix([(first_key, first_value)])
    found, _ = prefix_attention._attention(
        layer, query, key, value, mask if masked else None, scaling=0.3, shared_prefix=given
    )
    everywhere = torch.ones(rows, 1, length, beginning, dtype=torch.bool)
    whole, _ = sdpa_attention_forward(
        layer,
        query,
        torch.cat([first_key.expand(rows, -1, -1, -1), key], dim=2),
        torch.cat([first_value.expand(rows, -1, -1, -1), value], dim=2),
        torch.cat([everywhere, mask], dim=-1),
        scaling=0.3,
    )
    torch.testing.assert_close(found, whole, rtol=1e-5, atol=1e-6)
    assert given.layers == 1


def test_a_batch_decodes_what_each_row_does_without_any_cache():
    model, rng = small_llama(), random.Random(2)
    beginning = tuple(rng.randrange(60) for _ in range(40))
    rows = [
        GenerationRequest(
            (*beginning, *(rng.randrange(60) for _ in range(rng.randrange(1, 9)))), 0.0, 1.0, 5, str(place)
        )
        for place in range(6)
    ]
    expected = [by_hand(model, row.ids, 5) for row in rows]
    assert Decoder(model, frozenset()).decode_batch(rows) == expected


def test_a_model_with_sliding_windows_keeps_its_own_attention():
    torch.manual_seed(0)
    config = Gemma2Config(
        **SIZES, head_dim=8, sliding_window=8, max_position_embeddings=256, attn_implementation="eager"
    )
    model = Gemma2ForCausalLM(config).eval()
    assert not enable_shared_prefix(model)
    rows = [GenerationRequest((*range(20), 30 + place), 0.0, 1.0, 4, "") for place in range(3)]
    assert Decoder(model, frozenset()).decode_batch(rows) == [by_hand(model, row.ids, 4) for row in rows]


def test_a_model_whose_layers_are_not_handed_the_beginning_is_decoded_plainly():
    model = small_llama()
    rows = [GenerationRequest((*range(20), 30 + place), 0.0, 1.0, 4, "") for place in range(3)]
    expected = [by_hand(model, row.ids, 4) for row in rows]
    decoder, plain = Decoder(model, frozenset()), model.forward

    def forward(*args: object, shared_prefix: object = None, **kwargs: object) -> object:
        return plain(*args, **kwargs)

    model.forward = forward
    assert decoder.decode_batch(rows) == expected
