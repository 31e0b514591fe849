"""Train the embedded student: Muon for the matrices, AdamW for the rest, with checkpoints.

The matrices are too small to share between threads. Each process takes some of a step's groups and the gradients are
added up, so the number of processes changes the result only by rounding.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from callwright.standins.embedded.attention import MAX_NORM_WEIGHT
from callwright.standins.embedded.checkpoint import (
    Progress,
    load_checkpoint,
    save_checkpoint,
    write_curve,
)
from callwright.standins.embedded.encode import LessonEncoder
from callwright.standins.embedded.lesson_source import LessonSource, Stage
from callwright.standins.embedded.lessons import Lesson
from callwright.standins.embedded.network import group_losses, new_model
from callwright.standins.embedded.processes import (
    agree_on,
    rank_and_processes,
    run_in_processes,
    sum_over_processes,
)
from callwright.standins.embedded.recipe import BuildRecipe
from callwright.tasks import Tasks

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

WARM_UP_SHARE = 0.03  # of the run
CHECKPOINT_SECONDS = 120.0
CURVE_STEPS = 25  # steps between lines of the curve
_MEAN_STEPS = 33  # steps over which the share of names that are read right is averaged


@dataclass(frozen=True, slots=True)
class Length:
    """How long the training takes: a number of steps, or of minutes over all its runs. One of the two is 0."""

    steps: int = 0
    minutes: float = 0.0

    def progress(self, step: int, seconds: float) -> float:
        """The share of the training that is done; 1 or more: all."""
        return step / self.steps if self.steps else seconds / (60 * self.minutes)


@dataclass(frozen=True)
class Training:
    """What all processes need. The tokenizer is pickled with it."""

    recipe: BuildRecipe
    tasks: Tasks
    lessons: Mapping[str, Sequence[Lesson]]
    tokenizer: "PreTrainedTokenizerFast"
    length: Length
    seed: int
    folder: Path


def fit(training: Training) -> tuple["PreTrainedModel", Progress]:
    """Train a model, or continue from the folder's checkpoint, in as many processes as torch has threads.

    Raises:
        CallwrightError: one of the processes was killed.
    """
    return run_in_processes(_train, training, training.recipe.groups)


def _train(training: Training) -> tuple["PreTrainedModel", Progress]:
    """Train with Muon for the weight matrices (it needs a third of AdamW's lessons here) and AdamW for the rest."""
    recipe = training.recipe
    rank, processes = rank_and_processes()
    torch.manual_seed(training.seed)
    model = new_model(recipe, training.tokenizer)
    source = LessonSource(training.lessons, training.tasks, LessonEncoder(training.tokenizer, recipe), recipe)
    weights = list(model.parameters())
    optimizers = _optimizers(model, recipe)
    progress = load_checkpoint(training.folder, model, optimizers)
    norms = [weight for name, weight in model.named_parameters() if "q_norm" in name or "k_norm" in name]
    embeddings = model.get_input_embeddings().weight
    model.train()
    started, saved = time.monotonic() - progress.seconds, progress.seconds
    totals = torch.zeros(5)
    while (done := training.length.progress(progress.step, progress.seconds)) < 1:
        for optimizer, rate in zip(optimizers, (recipe.learning_rate, recipe.embedding_rate), strict=True):
            for parameters in optimizer.param_groups:
                parameters["lr"] = rate * learning_rate_factor(done, recipe.cool_down)
        stage = Stage(progress.step < recipe.bare_steps, done >= recipe.careless_from, progress.difficulty)
        sums = _compute_gradients(
            model, source, stage, training.seed, progress.step, range(rank, recipe.groups, processes)
        )
        totals += sums
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        for optimizer in optimizers:
            optimizer.step()
        with torch.no_grad():
            embeddings -= embeddings.mean(0)  # what all embeddings share tells no token from another
            for norm in norms:
                norm.clamp_(-MAX_NORM_WEIGHT, MAX_NORM_WEIGHT)
        progress.step += 1
        progress.seconds = agree_on(time.monotonic() - started)
        _raise_difficulty(progress, sums, recipe)
        if progress.step % CURVE_STEPS == 0:
            progress.loss = float(totals[0] / totals[1])
            if rank == 0:
                write_curve(training.folder, progress, totals)
            totals.zero_()
        if progress.seconds - saved >= CHECKPOINT_SECONDS:
            saved = progress.seconds
            if rank == 0:
                save_checkpoint(training.folder, model, optimizers, progress)
    if rank == 0:
        save_checkpoint(training.folder, model, optimizers, progress)
    return model.eval(), progress


def _optimizers(model: "PreTrainedModel", recipe: BuildRecipe) -> list[torch.optim.Optimizer]:
    named_weights = list(model.named_parameters())
    matrices = [weight for name, weight in named_weights if weight.ndim == 2 and "embed" not in name]
    rest = [weight for name, weight in named_weights if weight.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(matrices, lr=recipe.learning_rate, momentum=0.95, weight_decay=0.0),
        torch.optim.AdamW(rest, lr=recipe.embedding_rate, betas=(0.9, 0.98), weight_decay=0.01),
    ]


def learning_rate_factor(done: float, cool_down: float) -> float:
    """Warm-up, plateau, and linear decay over the last part of the run.

    >>> [round(learning_rate_factor(done, 0.4), 2) for done in (0, 0.3, 0.6, 0.8, 1)]
    [0.01, 1.0, 1.0, 0.5, 0.01]
    """
    return min(1.0, max(0.01, done / WARM_UP_SHARE), max(0.01, (1 - done) / cool_down))


def _raise_difficulty(progress: Progress, sums: Tensor, recipe: BuildRecipe) -> None:
    """The views get harder after each step in which enough names were read right."""
    _, _, right, names, _ = sums.tolist()
    if names:
        progress.names_right += (right / names - progress.names_right) / _MEAN_STEPS
    if progress.names_right > recipe.difficulty_threshold:
        progress.difficulty = min(1.0, progress.difficulty + recipe.difficulty_step)


def _compute_gradients(
    model: "PreTrainedModel", source: LessonSource, stage: Stage, seed: int, step: int, indices: Sequence[int]
) -> Tensor:
    """Store a step's gradients in `.grad`, summed over the processes.

    Args:
        indices: of the step's groups that this process computes.

    Returns:
        float32 (5,), over all processes: the sum of the weighted losses, that of the weights, how many first tokens of
        new names were right and how many there were, and the number of tokens.
    """
    recipe_weight = source.head_weight(stage)
    dtype = torch.bfloat16 if _has_bfloat16() else torch.float32
    sums = torch.zeros(5)
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    for index in indices:
        torch.manual_seed(seed * 1_000_003 + step * 101 + index)
        group, is_new = source.draw(stage, random.Random(f"group/{seed}/{step}/{index}"))
        losses, right, head_loss = group_losses(model, group, dtype, supervise=recipe_weight > 0)
        loss = (losses * group.weights).sum()
        torch.autograd.backward(loss + recipe_weight * head_loss)
        first_tokens = group.first_tokens() if is_new else torch.zeros(0, dtype=torch.long)
        sums += torch.tensor(
            [
                float(loss.detach()),
                float(group.weights.sum()),
                float(right[first_tokens].sum()),
                float(len(first_tokens)),
                float(len(group.prompt) + group.rows.numel()),
            ]
        )
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    sum_over_processes([*gradients, sums])
    torch._foreach_div_(gradients, float(sums[1]))
    return sums


def _has_bfloat16() -> bool:
    """Whether this CPU has instructions for bfloat16 matrices (several times faster than float32)."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
