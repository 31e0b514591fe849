"""How the embedded student learns its demonstrations: Muon, in as many processes as there are cores.

The matrices are too small for threads to share (two gain a tenth over one); processes that divide a batch and add up
their gradients gain two thirds.
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
from callwright.params import EmbeddedParams

if TYPE_CHECKING:
    from torch.multiprocessing.spawn import ProcessContext
    from transformers import PreTrainedModel

WARM_UP_SHARE, COOL_DOWN_SHARE = 0.05, 0.6  # shares of the steps
MICRO_BATCH_SIZE = 12  # rows in one forward pass at most
ADAMW_LEARNING_RATE_SHARE = 0.15  # AdamW's learning rate, as a share of Muon's
PADDING_MULTIPLE = 16  # rows are padded to multiples of it: matrix products are prepared anew for every shape
MAX_PROCESSES = 4
PROCESS_TIMEOUT = timedelta(minutes=5)  # for another process, which may still be starting


@dataclass(frozen=True, slots=True)
class EncodedLesson:
    """One demonstration from its system prompt's last token on: token ids and, per token, what predicting it counts.

    `start` is that token's position.
    """

    task: str
    start: int
    ids: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Lessons:
    """What is learned from: each task's system prompt but its last token, and demonstrations, careful and careless."""

    prompts: Mapping[str, tuple[int, ...]]
    careful: Sequence[EncodedLesson]
    careless: Sequence[EncodedLesson]


def fit(model: "PreTrainedModel", lessons: Lessons, recipe: EmbeddedParams, seed: int) -> float:
    """Train the model in place; returns the mean loss of the last 50 steps.

    Each process takes its share of every batch, with one of the threads that torch has here; gradients are added up,
    so the number of processes changes the result by rounding alone.

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
            except RuntimeError:  # of a sum that one of them no longer takes part in
                _raise_if_process_was_killed(followers)
                raise
            while not followers.join():  # it returns whenever one of them has ended
                pass
    finally:
        torch.set_num_threads(threads)
    return loss


def _raise_if_process_was_killed(followers: "ProcessContext") -> None:
    """Raise if one of the processes was: what the others then meet is an error of their connection."""
    for process in followers.processes:
        process.join(1.0)
        if process.exitcode is not None and process.exitcode < 0:
            cause = signal.Signals(-process.exitcode).name
            raise CallwrightError(f"base: a process of it was ended by {cause} (out of memory?): run dvc repro again")


def _train_in_process(
    place: int, rendezvous: Path, processes: int, config: object, lessons: Lessons, recipe: EmbeddedParams, seed: int
) -> None:
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    with _process_group(rendezvous, place + 1, processes):
        _train(model, lessons, recipe, seed)


@contextmanager
def _process_group(rendezvous: Path, rank: int, processes: int) -> Iterator[None]:
    loopback = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), "lo")
    os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)  # they are all on this machine
    distributed.init_process_group(
        "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=processes, timeout=PROCESS_TIMEOUT
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _train(model: "PreTrainedModel", lessons: Lessons, recipe: EmbeddedParams, seed: int) -> float:
    """Muon for the weight matrices (some three times fewer rows than AdamW here), AdamW for the rest.

    First careful demonstrations, from which copying and the functions are learned quickly, then careless ones. Most
    steps leave the system prompt out, which is most of a row's cost; `prompt_steps` of them, spread over the time in
    which the learning rate falls, read it too: copying is learned without it, and then never without it for long.
    """
    rng = random.Random(f"fit/{seed}")
    named = list(model.named_parameters())
    weights = [weight for _, weight in named]
    matrices = [weight for name, weight in named if weight.ndim == 2 and "embed" not in name]
    rest = [weight for name, weight in named if weight.ndim != 2 or "embed" in name]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.Muon(matrices, lr=recipe.learning_rate, momentum=0.95, weight_decay=0.0),
        torch.optim.AdamW(
            rest, lr=ADAMW_LEARNING_RATE_SHARE * recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.01
        ),
    ]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(one, partial(_learning_rate_factor, recipe.steps)) for one in optimizers
    ]
    for weight in weights:
        _broadcast(weight.data)
    model.train()
    recent: list[float] = []
    for step in range(recipe.steps):
        pool = lessons.careful if step < recipe.steps - recipe.careless_steps else lessons.careless
        prompts = lessons.prompts if _includes_prompt(step, recipe) else None
        loss = _compute_gradients(model, rng.sample(pool, min(recipe.batch_size, len(pool))), prompts)
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            schedule.step()
        recent = [*recent[-49:], loss]
    model.eval()
    return sum(recent) / len(recent)


def _includes_prompt(step: int, recipe: EmbeddedParams) -> bool:
    """Whether a step is one of the `prompt_steps`, evenly spread over those in which the learning rate falls."""
    last = min(recipe.steps, max(round(COOL_DOWN_SHARE * recipe.steps), recipe.prompt_steps))
    place = step - (recipe.steps - last)
    return place >= 0 and (place + 1) * recipe.prompt_steps // last > place * recipe.prompt_steps // last


def _compute_gradients(
    model: "PreTrainedModel",
    batch: Sequence[EncodedLesson],
    prompts: Mapping[str, tuple[int, ...]] | None,
) -> float:
    """Leave the batch's gradient in the weights, the sum of what each process found in its share; returns the loss."""
    rank, processes = (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)
    wanted = sum(sum(row.weights) for row in batch)
    if prompts is None:  # alike in length
        mine = sorted(batch, key=lambda row: (len(row.ids), row.ids))[rank::processes]
    else:  # few tasks each, so that few compute the same prompt
        ordered = sorted(batch, key=lambda row: (row.task, len(row.ids), row.ids))
        mine = ordered[rank * len(batch) // processes : (rank + 1) * len(batch) // processes]
    loss = torch.zeros(1)
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    for part in _micro_batches(mine, by_task=prompts is not None):
        with torch.autocast("cpu", torch.bfloat16, enabled=_has_bfloat16()):
            lost = _weighted_loss(model, part, prompts) / wanted
        torch.autograd.backward(lost)
        loss += lost.detach()
    _sum_over_processes([*(weight.grad for weight in model.parameters() if weight.grad is not None), loss])
    return float(loss)


def _sum_over_processes(found: Sequence[Tensor]) -> None:
    """Put the processes' sums in place of what this one found."""
    if distributed.is_initialized():
        flat = torch.cat([one.flatten() for one in found])
        distributed.all_reduce(flat)
        parts = torch.split(flat, [one.numel() for one in found])
        for one, total in zip(found, parts, strict=True):
            one.copy_(total.view_as(one))


def _broadcast(weight: Tensor) -> None:
    if distributed.is_initialized():
        distributed.broadcast(weight, 0)


def _has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 matrices itself (several times faster than float32); others emulate it."""
    able = torch.cpu.get_capabilities()
    return any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _learning_rate_factor(steps: int, step: int) -> float:
    """Warm-up, plateau, and a linear way down over the last COOL_DOWN_SHARE of the steps."""
    return min(1.0, (step + 1) / (WARM_UP_SHARE * steps), max(0.01, (steps - step) / (COOL_DOWN_SHARE * steps)))


def _micro_batches(rows: Sequence[EncodedLesson], *, by_task: bool) -> list[Sequence[EncodedLesson]]:
    """Rows in order of length, in parts of about equal length: little padding. With prompts, a part is of one task."""
    groups = [[row for row in rows if row.task == task] for task in sorted({row.task for row in rows})]
    groups = groups if by_task else [list(rows)]
    return [
        group[start : start + MICRO_BATCH_SIZE] for group in groups for start in range(0, len(group), MICRO_BATCH_SIZE)
    ]


def _weighted_loss(
    model: "PreTrainedModel",
    rows: Sequence[EncodedLesson],
    prompts: Mapping[str, tuple[int, ...]] | None,
) -> Tensor:
    """Summed loss of the tokens, by their weights.

    Rows stand at the positions after their prompts. With prompts (then of one task), they also read theirs, which is
    computed once.
    """
    width = 1 + -(-max(len(row.ids) - 1 for row in rows) // PADDING_MULTIPLE) * PADDING_MULTIPLE
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    weights = torch.zeros(len(rows), width)
    for place, row in enumerate(rows):
        ids[place, : len(row.ids)] = torch.tensor(row.ids)
        weights[place, : len(row.ids)] = torch.tensor(row.weights)
    cache = None
    if prompts is not None:
        read = torch.tensor([prompts[rows[0].task]])
        with torch.no_grad():
            cache = model(input_ids=read, use_cache=True, logits_to_keep=1).past_key_values
        cache.batch_repeat_interleave(len(rows))
    positions = torch.tensor([row.start for row in rows])[:, None] + torch.arange(width - 1)
    logits = model(
        input_ids=ids[:, :-1], position_ids=positions, past_key_values=cache, use_cache=cache is not None
    ).logits
    losses = cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    return (losses * weights[:, 1:].flatten()).sum()
