"""Scoring a batch with shared prefixes gives the same result as plain scoring."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    FalconConfig,
    Gemma2Config,
    GemmaConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    NemotronConfig,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3Config,
    Qwen3NextConfig,
)
from trl.trainer.utils import add_fused_lm_head

from callwright.training.prefix_sharing import share_prefixes

SMALL: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
}
GROUPED = SMALL | {"num_key_value_heads": 2}
CONFIGS: dict[str, PreTrainedConfig] = {
    "llama": LlamaConfig(**GROUPED),
    "llama, tied": LlamaConfig(**GROUPED, tie_word_embeddings=True),
    "qwen2": Qwen2Config(**GROUPED),
    "qwen3": Qwen3Config(**GROUPED, head_dim=8),
    "mistral": MistralConfig(**GROUPED, sliding_window=None),
    "gemma": GemmaConfig(**GROUPED, head_dim=8),
    "gpt_neox": GPTNeoXConfig(**SMALL),
}
BATCHES: dict[str, list[list[int]]] = {
    "long shared prompt": [[1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 8, 9, 10], [1, 2, 3, 4, 11], [1, 2, 3, 4, 5, 8, 12]],
    "a branch at the first token": [[1, 2, 3], [4, 2, 3], [1, 5, 6, 7]],
    "duplicates": [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 5]],
    "a single sequence": [[5, 4, 3, 2, 1]],
    "a sequence that is the prefix of another": [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4], [1, 2, 3]],
}


def model_of(config: PreTrainedConfig, *, lora: bool = False) -> Any:
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
    add_fused_lm_head(model)
    if not lora:
        return model
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear"))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    return model


def batch_of(sequences: list[list[int]], *, left: bool = False, prompt: int = 2) -> dict[str, torch.Tensor]:
    """Padded ids, mask, and labels of all tokens after the first `prompt` ones."""
    width = max(map(len, sequences))
    ids, mask, labels = [], [], []
    for sequence in sequences:
        pad = width - len(sequence)
        ids.append([0] * pad + sequence if left else sequence + [0] * pad)
        mask.append([0] * pad + [1] * len(sequence) if left else [1] * len(sequence) + [0] * pad)
        targets = [-100] * prompt + sequence[prompt:]
        labels.append([-100] * pad + targets if left else targets + [-100] * pad)
    names = ("input_ids", "attention_mask", "labels")
    return {name: torch.tensor(values) for name, values in zip(names, (ids, mask, labels), strict=True)}


def scored(model: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Log-probs, and the gradients of a loss in which each log-prob has another weight."""
    model.zero_grad()
    log_probs = model(**batch, fused_lm_head=True, use_cache=False).log_probs
    weights = torch.linspace(0.5, 1.5, log_probs.numel()).view_as(log_probs)
    (log_probs * weights).sum().backward()
    return log_probs.detach(), [weight.grad for weight in model.parameters() if weight.grad is not None]


@contextmanager
def tokens_computed(model: Any) -> Iterator[list[int]]:
    """The number of tokens in each pass through the input embeddings."""
    computed: list[int] = []
    hook = model.get_input_embeddings().register_forward_hook(lambda _, ids, __: computed.append(ids[0].numel()))
    yield computed
    hook.remove()


def distinct_prefixes(batch: dict[str, torch.Tensor]) -> int:
    padded = zip(batch["input_ids"], batch["attention_mask"], strict=True)
    sequences = [ids[mask.bool()].tolist() for ids, mask in padded]
    return len({tuple(sequence[: end + 1]) for sequence in sequences for end in range(len(sequence))})


def assert_same(model: Any, batch: dict[str, torch.Tensor]) -> None:
    plain, plain_gradients = scored(model, batch)
    plain_gradients = [gradient.clone() for gradient in plain_gradients]
    with share_prefixes(model) as shared, tokens_computed(model) as computed:
        assert shared
        packed, gradients = scored(model, batch)
    assert set(computed) == {distinct_prefixes(batch)}
    assert torch.allclose(packed, plain, atol=1e-5)
    assert len(gradients) == len(plain_gradients) > 0
    largest = max(float(gradient.abs().max()) for gradient in plain_gradients)
    for packed_gradient, plain_gradient in zip(gradients, plain_gradients, strict=True):
        assert float((packed_gradient - plain_gradient).abs().max()) <= 1e-5 * largest


@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
@pytest.mark.parametrize("name", CONFIGS)
def test_log_probs_and_gradients_equal_those_of_plain_scoring(name: str, lora: bool):
    model = model_of(CONFIGS[name], lora=lora)
    for sequences in BATCHES.values():
        assert_same(model, batch_of(sequences))


@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
@pytest.mark.parametrize("name", CONFIGS)
def test_left_padding_changes_nothing(name: str, lora: bool):
    model = model_of(CONFIGS[name], lora=lora)
    for sequences in BATCHES.values():
        right, left = batch_of(sequences), batch_of(sequences, left=True)
        # Right padding, because plain scoring with left padding would shift the positions.
        plain = [log_probs[log_probs != 0] for log_probs in scored(model, right)[0]]
        with share_prefixes(model):
            shared = [log_probs[log_probs != 0] for log_probs in scored(model, left)[0]]
        assert all(torch.allclose(*log_probs, atol=1e-5) for log_probs in zip(shared, plain, strict=True))


@pytest.mark.parametrize("name", ["llama", "qwen2", "gpt_neox"])
def test_flex_attention_gives_the_same_log_probs(name: str):
    """On a CPU only the forward pass works, and not compiled; tests/gpu tests the rest."""
    model = model_of(CONFIGS[name]).eval()
    for sequences in BATCHES.values():
        batch = batch_of(sequences)
        with torch.no_grad(), torch.compiler.set_stance("force_eager"):
            plain = model(**batch, fused_lm_head=True, use_cache=False).log_probs
            with share_prefixes(model, flex=True):
                flex = model(**batch, fused_lm_head=True, use_cache=False).log_probs
        assert torch.allclose(flex, plain, atol=1e-5)


def test_gradient_checkpointing_changes_nothing():
    model = model_of(CONFIGS["qwen2"])
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.train()
    assert_same(model, batch_of(BATCHES["long shared prompt"]))


def test_generation_inside_the_context_is_unchanged_and_the_model_is_restored_after_it():
    model = model_of(CONFIGS["llama"]).eval()
    before, ids = model.forward, torch.tensor([[1, 2, 3]])
    plain = model.generate(ids, max_new_tokens=5, do_sample=False)
    with share_prefixes(model):
        assert model.generate(ids, max_new_tokens=5, do_sample=False).tolist() == plain.tolist()
    assert model.forward == before
    assert model.config._attn_implementation == "sdpa"


def test_a_model_with_a_sliding_window_keeps_its_forward_pass_and_a_log_line_says_so(caplog: pytest.LogCaptureFixture):
    model = model_of(MistralConfig(**GROUPED, sliding_window=4))
    before = model.forward
    with caplog.at_level(logging.WARNING), share_prefixes(model) as shared:
        assert not shared
        assert model.forward == before
    assert caplog.messages == ["prefixes are not shared: MistralForCausalLM has a sliding window"]


UNSUPPORTED: dict[str, tuple[PreTrainedConfig, str]] = {
    "ALiBi": (
        FalconConfig(vocab_size=64, hidden_size=32, num_hidden_layers=1, num_attention_heads=4, alibi=True),
        "FalconForCausalLM does not use the library's attention interface",
    ),
    "no attention at all": (
        MambaConfig(vocab_size=64, hidden_size=32, num_hidden_layers=1, state_size=4),
        "MambaForCausalLM does not use the library's attention interface",
    ),
    "linear attention": (
        Qwen3NextConfig(**GROUPED, head_dim=8, num_experts=2, num_experts_per_tok=1, moe_intermediate_size=8,
                        shared_expert_intermediate_size=8, layer_types=["linear_attention", "full_attention"]),
        "Qwen3NextForCausalLM does not use the library's attention interface",
    ),
    "layers of two kinds": (
        Qwen3Config(**GROUPED, head_dim=8, layer_types=["full_attention", "sliding_attention"], sliding_window=4),
        "Qwen3ForCausalLM has layers of sliding_attention",
    ),
    "soft caps": (
        Gemma2Config(**GROUPED, head_dim=8, layer_types=["full_attention"] * 2, sliding_window=None),
        "Gemma2ForCausalLM caps its logits",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_the_log_says_why_a_models_attention_cannot_share_prefixes(name: str, caplog: pytest.LogCaptureFixture):
    config, reason = UNSUPPORTED[name]
    model = AutoModelForCausalLM.from_config(config)
    with caplog.at_level(logging.WARNING, "callwright"), share_prefixes(model) as shared:
        assert not shared
    assert caplog.messages == [f"prefixes are not shared: {reason}"]


def test_a_model_that_drops_the_mask_is_scored_plainly_and_one_log_line_says_so(caplog: pytest.LogCaptureFixture):
    model, batch = model_of(NemotronConfig(**GROUPED, head_dim=8)), batch_of(BATCHES["long shared prompt"])
    plain, _ = scored(model, batch)
    with caplog.at_level(logging.WARNING, "callwright"), share_prefixes(model):
        again = [scored(model, batch)[0] for _ in range(2)]
    assert all(torch.allclose(log_probs, plain, atol=1e-5) for log_probs in again)
    assert caplog.messages == ["prefixes are not shared: NemotronForCausalLM does not pass the mask to its layers"]


def test_learned_position_embeddings_are_read_by_depth():

    config = GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=4, n_positions=64, resid_pdrop=0.0, embd_pdrop=0.0)
    config.attn_pdrop = 0.0
    assert_same(model_of(config), batch_of(BATCHES["long shared prompt"]))
