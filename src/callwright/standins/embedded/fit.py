"""Train the embedded student on its lessons: Muon, in as many processes as there are cores.

The matrices are too small to share between threads: two threads are a tenth faster than one. Two processes that divide
each batch and add up their gradients are two thirds faster.
"""

import os
import random
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import torch
from torch import Tensor, distributed
from torch.multiprocessing.spawn import start_processes
from torch.nn.functional import cross_entropy

from callwright.errors import CallwrightError
from callwright.standins.embedded.recipe import BuildRecipe

if TYPE_CHECKING:
    from torch.multiprocessing.spawn import ProcessContext
    from transformers import PreTrainedModel

WARM_UP_SHARE, COOL_DOWN_SHARE = 0.05, 0.6  # shares of the steps
MICRO_BATCH_SIZE = 12  # lessons in one forward pass, at most
ADAMW_LEARNING_RATE_SHARE = 0.15  # AdamW's learning rate, as a share of Muon's
PADDING_MULTIPLE = 16  # lessons are padded to multiples of it, because each new shape of a matrix product costs set-up
MAX_PROCESSES = 4
PROCESS_TIMEOUT = timedelta(minutes=5)  # to wait for another process, which may still be starting


@dataclass(frozen=True, slots=True)
class EncodedLesson:
    """One lesson from the last token of its system prompt on.

    Attributes:
        start: position of that token.
        ids: token ids.
        weights: loss weight of each token; as long as `ids`.
    """

    task: str
    start: int
    ids: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Lessons:
    """The training data: each task's system prompt without its last token, and careful and careless lessons."""

    prompt_ids: Mapping[str, tuple[int, ...]]
    careful: Sequence[EncodedLesson]
    careless: Sequence[EncodedLesson]


def fit(model: "PreTrainedModel", lessons: Lessons, recipe: BuildRecipe, seed: int) -> float:
    """Train the model in place; returns the mean loss of the last 50 steps.

    Uses one process per torch thread, at most MAX_PROCESSES. Each process takes a share of every batch, and the
    gradients are added up, so the number of processes changes the result only by rounding.

    Raises:
        CallwrightError: one of the processes was killed.
    """
    threads = torch.get_num_threads()
    processes = min(threads, MAX_PROCESSES)
    if processes == 1:
        return _train(model, lessons, recipe, seed)
    try:
        torch.set_num_threads(1)
        with TemporaryDirectory() as folder:
            rendezvous = Path(folder, "meeting")
            followers = start_processes(  # type: ignore[no-untyped-call]
                _train_in_process,
                (rendezvous, processes, model.config, lessons, recipe, seed),
                processes - 1,
                join=False,
                daemon=True,
                start_method="spawn",
            )
            try:
                with _process_group(rendezvous, 0, processes):
                    loss = _train(model, lessons, recipe, seed)
            except RuntimeError:  # gloo raises it if another process is gone
                _raise_if_process_was_killed(followers)
                raise
            while not followers.join():  # join returns each time that one of the processes ends
                pass
    finally:
        torch.set_num_threads(threads)
    return loss


def _raise_if_process_was_killed(followers: "ProcessContext") -> None:
    """Name the cause if a process was killed; the others only get a connection error.

    Raises:
        CallwrightError: a process was ended by a signal.
    """
    for process in followers.processes:
        process.join(1.0)
        if process.exitcode is not None and process.exitcode < 0:
            cause = signal.Signals(-process.exitcode).name
            raise CallwrightError(
                f"base: one of its processes was ended by {cause} (out of memory?): run dvc repro again"
            )


def _train_in_process(
    process_index: int,
    rendezvous: Path,
    processes: int,
    config: object,
    lessons: Lessons,
    recipe: BuildRecipe,
    seed: int,
) -> None:
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    with _process_group(rendezvous, process_index + 1, processes):
        _train(model, lessons, recipe, seed)


@contextmanager
def _process_group(rendezvous: Path, rank: int, processes: int) -> Iterator[None]:
    loopback = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), "lo")
    os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)  # all processes are on this machine
    distributed.init_process_group(
        "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=processes, timeout=PROCESS_TIMEOUT
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _train(model: "PreTrainedModel", lessons: Lessons, recipe: BuildRecipe, seed: int) -> float:
    """Train with Muon for the weight matrices (it needs a third of AdamW's lessons here) and AdamW for the rest.

    Careful lessons come first, because they teach copying and the functions quickly; careless ones follow. Most steps
    leave out the system prompt, which is most of the cost of a lesson: copying is learned without it. `prompt_steps`
    of the steps include it; they are spread evenly over the steps in which the learning rate falls.

    Returns:
        Mean loss of the last 50 steps.
    """
    rng = random.Random(f"fit/{seed}")
    named_weights = list(model.named_parameters())
    weights = [weight for _, weight in named_weights]
    matrices = [weight for name, weight in named_weights if weight.ndim == 2 and "embed" not in name]
    rest = [weight for name, weight in named_weights if weight.ndim != 2 or "embed" in name]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.Muon(matrices, lr=recipe.learning_rate, momentum=0.95, weight_decay=0.0),
        torch.optim.AdamW(
            rest, lr=ADAMW_LEARNING_RATE_SHARE * recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.01
        ),
    ]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(optimizer, partial(_learning_rate_factor, recipe.steps))
        for optimizer in optimizers
    ]
    for weight in weights:
        _broadcast(weight.data)
    model.train()
    recent: list[float] = []
    for step in range(recipe.steps):
        pool = lessons.careful if step < recipe.steps - recipe.careless_steps else lessons.careless
        prompt_ids = lessons.prompt_ids if _includes_prompt(step, recipe) else None
        loss = _compute_gradients(model, rng.sample(pool, min(recipe.batch_size, len(pool))), prompt_ids)
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            schedule.step()
        recent = [*recent[-49:], loss]
    model.eval()
    return sum(recent) / len(recent)


def _includes_prompt(step: int, recipe: BuildRecipe) -> bool:
    """Whether a step is one of the `prompt_steps`, evenly spread over the steps in which the learning rate falls."""
    span = min(recipe.steps, max(round(COOL_DOWN_SHARE * recipe.steps), recipe.prompt_steps))
    index = step - (recipe.steps - span)
    return index >= 0 and (index + 1) * recipe.prompt_steps // span > index * recipe.prompt_steps // span


def _compute_gradients(
    model: "PreTrainedModel",
    batch: Sequence[EncodedLesson],
    prompt_ids: Mapping[str, tuple[int, ...]] | None,
) -> float:
    """Store the batch's gradients in `.grad`, summed over the processes, each of which computes a share of the batch.

    Returns:
        The batch's loss: the weighted mean over its tokens.
    """
    rank, processes = (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)
    total_weight = sum(sum(lesson.weights) for lesson in batch)
    if prompt_ids is None:  # the shares are similar in length
        process_share = sorted(batch, key=lambda lesson: (len(lesson.ids), lesson.ids))[rank::processes]
    else:  # each share has few tasks, so that few processes compute the same prompt
        ordered = sorted(batch, key=lambda lesson: (lesson.task, len(lesson.ids), lesson.ids))
        process_share = ordered[rank * len(batch) // processes : (rank + 1) * len(batch) // processes]
    loss = torch.zeros(1)
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    for micro_batch in _micro_batches(process_share, by_task=prompt_ids is not None):
        with torch.autocast("cpu", torch.bfloat16, enabled=_has_bfloat16()):
            part_loss = _weighted_loss(model, micro_batch, prompt_ids) / total_weight
        torch.autograd.backward(part_loss)
        loss += part_loss.detach()
    _sum_over_processes([*(weight.grad for weight in model.parameters() if weight.grad is not None), loss])
    return float(loss)


def _sum_over_processes(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its sum over the processes."""
    if distributed.is_initialized():
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        distributed.all_reduce(flat)
        totals = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, total in zip(tensors, totals, strict=True):
            tensor.copy_(total.view_as(tensor))


def _broadcast(weight: Tensor) -> None:
    if distributed.is_initialized():
        distributed.broadcast(weight, 0)


def _has_bfloat16() -> bool:
    """Whether this CPU has instructions for bfloat16 matrices (several times faster than float32)."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _learning_rate_factor(steps: int, step: int) -> float:
    """Warm-up, plateau, and linear decay over the last COOL_DOWN_SHARE of the steps."""
    return min(1.0, (step + 1) / (WARM_UP_SHARE * steps), max(0.01, (steps - step) / (COOL_DOWN_SHARE * steps)))


def _micro_batches(lessons: Sequence[EncodedLesson], *, by_task: bool) -> list[Sequence[EncodedLesson]]:
    """Split lessons, which are sorted by length, so that each micro-batch needs little padding.

    Args:
        by_task: each micro-batch has lessons of one task only; they share its prompt.
    """
    tasks = sorted({lesson.task for lesson in lessons})
    groups = [[lesson for lesson in lessons if lesson.task == task] for task in tasks] if by_task else [list(lessons)]
    return [
        group[start : start + MICRO_BATCH_SIZE] for group in groups for start in range(0, len(group), MICRO_BATCH_SIZE)
    ]


def _weighted_loss(
    model: "PreTrainedModel",
    lessons: Sequence[EncodedLesson],
    prompt_ids: Mapping[str, tuple[int, ...]] | None,
) -> Tensor:
    """Sum of the tokens' losses times their weights, a scalar.

    The lessons have the positions after their prompts. With prompts, all lessons are of one task and attend to its
    prompt, which is computed once, without gradient.
    """
    width = 1 + -(-max(len(lesson.ids) - 1 for lesson in lessons) // PADDING_MULTIPLE) * PADDING_MULTIPLE
    ids = torch.zeros(len(lessons), width, dtype=torch.long)
    weights = torch.zeros(len(lessons), width)
    for index, lesson in enumerate(lessons):
        ids[index, : len(lesson.ids)] = torch.tensor(lesson.ids)
        weights[index, : len(lesson.ids)] = torch.tensor(lesson.weights)
    cache = None
    if prompt_ids is not None:
        prompt = torch.tensor([prompt_ids[lessons[0].task]])
        with torch.no_grad():
            cache = model(input_ids=prompt, use_cache=True, logits_to_keep=1).past_key_values
        cache.batch_repeat_interleave(len(lessons))
    positions = torch.tensor([lesson.start for lesson in lessons])[:, None] + torch.arange(width - 1)

    logits = model(
        input_ids=ids[:, :-1], position_ids=positions, past_key_values=cache, use_cache=cache is not None
    ).logits
    losses = cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    return (losses * weights[:, 1:].flatten()).sum()
