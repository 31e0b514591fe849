"""Shared prefixes in a model whose weights FSDP shards over two processes, on the CPU."""

from pathlib import Path

import pytest
import torch
from torch import distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from callwright.training.prefix_sharing import share_prefixes
from tests.training.test_prefix_sharing import BATCHES, CONFIGS, batch_of, distinct_prefixes, model_of, tokens_computed

BATCH = batch_of(BATCHES["long shared prompt"])


def gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The gradients of a loss in which each log-prob has another weight; shards are gathered."""
    log_probs = model(**BATCH, fused_lm_head=True, use_cache=False).log_probs
    (log_probs * torch.linspace(0.5, 1.5, log_probs.numel()).view_as(log_probs)).sum().backward()
    grads = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    return {name: grad.full_tensor() if hasattr(grad, "full_tensor") else grad for name, grad in grads.items()}


def compare(rank: int, folder: str, lora: bool) -> None:
    """Run in each process. Both have the same batch, so the mean of their gradients equals each of them."""
    distributed.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    mesh = init_device_mesh("cpu", (2,))
    expected, model = (
        gradients(model_of(CONFIGS["llama, tied"], lora=lora)),
        model_of(CONFIGS["llama, tied"], lora=lora),
    )
    model.train()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    with share_prefixes(model) as shared, tokens_computed(model) as computed:
        for layer in (model.get_base_model() if lora else model).model.layers:
            fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)
        sharded = gradients(model)
    assert shared
    assert computed == [distinct_prefixes(BATCH)]
    assert sharded.keys() == expected.keys()
    largest = max(float(grad.abs().max()) for grad in expected.values())
    assert all(float((sharded[name] - grad).abs().max()) <= 1e-5 * largest for name, grad in expected.items())
    distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.xdist_group("training")
@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
def test_gradients_of_a_sharded_model_equal_those_of_plain_scoring(tmp_path: Path, lora: bool):
    torch.multiprocessing.spawn(compare, (str(tmp_path), lora), nprocs=2)
