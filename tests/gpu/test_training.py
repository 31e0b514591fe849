"""Training on a CUDA device."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from callwright.tasks import TASKS
from callwright.training.dpo import train
from callwright.training.prefix_sharing import share_prefixes
from tests.training.conftest import tiny_base
from tests.training.examples import EXAMPLES, NEW_NAMES, PAIRS, PARAMS, log_prob
from tests.training.test_prefix_sharing import BATCHES, CONFIGS, batch_of, model_of, scored

__all__ = ["tiny_base"]
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.slow,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


@pytest.mark.parametrize("flex", [True, False], ids=["flex", "segments"])
@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
@pytest.mark.parametrize("name", ["llama", "qwen2", "gemma"])
def test_log_probs_and_gradients_are_those_of_plain_scoring(name: str, lora: bool, flex: bool):
    torch.backends.cuda.matmul.allow_tf32 = False
    config = type(CONFIGS[name])(**CONFIGS[name].to_dict() | {"hidden_size": 64, "head_dim": 16})
    model = model_of(config, lora=lora).cuda()
    for rows in BATCHES.values():
        batch = {key: value.cuda() for key, value in batch_of(rows).items()}
        plain, gradients = scored(model, batch)
        gradients = [gradient.clone() for gradient in gradients]
        with share_prefixes(model, flex=flex) as shared:
            assert shared
            packed, packed_gradients = scored(model, batch)
        assert torch.allclose(packed, plain, atol=1e-4)
        largest = max(float(gradient.abs().max()) for gradient in gradients)
        for packed_gradient, gradient in zip(packed_gradients, gradients, strict=True):
            assert float((packed_gradient - gradient).abs().max()) <= 1e-4 * largest


def trained(base: Path, folder: Path, **changes: Any) -> float:
    """How much the margin of the first pair grew, in nats, by the merged student."""
    pair = PAIRS[0]
    params = PARAMS.model_copy(update={"accelerate": "gpu", **changes})
    folders = {"student": folder / "student", "adapter": folder / "adapter", "work": folder / "work"}
    train(base, EXAMPLES, params, TASKS, NEW_NAMES, seed=7, **folders)
    before, after = (
        log_prob(model_folder, pair, pair.chosen) - log_prob(model_folder, pair, pair.rejected)
        for model_folder in (base, folder / "student")
    )
    return after - before


@pytest.mark.parametrize("checkpointing", [False, True])
def test_bf16_training_widens_the_margin(tiny_base: Path, tmp_path: Path, checkpointing: bool):
    assert trained(tiny_base, tmp_path, gradient_checkpointing=checkpointing) > 1


def test_four_bit_training_widens_the_margin_and_the_student_is_not_in_four_bits(tiny_base: Path, tmp_path: Path):
    if find_spec("bitsandbytes") is None:
        pytest.skip("bitsandbytes is not installed")
    assert trained(tiny_base, tmp_path, method="qlora") > 1
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "student").dtype == torch.float32
