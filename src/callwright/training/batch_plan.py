"""Which examples make up each batch of a training, and the view in which the batch shows its functions.

All rows of a batch have the same prompt up to the question (one task, one protocol, one view), so prefix sharing
computes it once. A plan depends on its arguments only: a resumed training, and every process of a launch, makes the
same plan.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from random import Random
from typing import TypeAlias

from callwright.agent.conversation import ExampleT, rendered, with_called_functions
from callwright.params import TrainParams, ViewsParams
from callwright.records import Demonstration, Pair
from callwright.reports.train import BatchCounts
from callwright.tasks.draw_view import draw_view, draw_views
from callwright.tasks.task import Task
from callwright.tasks.tasks import Tasks
from callwright.tasks.view import PLAIN, View


@dataclass(frozen=True, slots=True)
class Batch:
    """The indices of the batch's examples, in their order, and the view of their task."""

    examples: tuple[int, ...]
    view: View


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How examples are put into batches.

    Attributes:
        size: examples of a full batch, in each process.
        processes: number of processes that share each batch.
        by_problem: whether the examples of a problem stay together; otherwise they are shuffled.
    """

    size: int
    processes: int = 1
    by_problem: bool = False


Plan: TypeAlias = list[list[Batch]]
"""The batches of each epoch, in the order of the training."""


def plan_pairs(
    pairs: Sequence[Pair], tasks: Tasks, params: TrainParams, views: ViewsParams, *, seed: int, processes: int
) -> Plan:
    """The batches of the preference training."""
    options = BatchOptions(params.batch_size, processes, by_problem=params.order == "by_problem")
    return plan_batches(pairs, tasks, views, options, epochs=ceil(params.epochs), seed=seed, label="pairs")


def plan_warm_up(
    demonstrations: Sequence[Demonstration],
    tasks: Tasks,
    params: TrainParams,
    views: ViewsParams,
    *,
    seed: int,
    processes: int,
) -> Plan:
    """The batches of the warm-up; none with 0 epochs."""
    options = BatchOptions(params.sft.batch_size, processes, by_problem=params.order == "by_problem")
    epochs = ceil(params.sft.epochs)
    return plan_batches(demonstrations, tasks, views, options, epochs=epochs, seed=seed, label="warm-up")


def plan_batches(
    examples: Sequence[Pair | Demonstration],
    tasks: Tasks,
    views: ViewsParams,
    options: BatchOptions,
    *,
    epochs: int,
    seed: int,
    label: str,
) -> Plan:
    """Put the examples of each epoch into batches.

    An epoch has every example once, and the same number of batches as the others. The batches of a task are of nearly
    equal size, and come in random order among those of other tasks. With several processes, each batch has a multiple
    of their number of rows: if a task's examples do not suffice, up to `processes` - 1 of them occur twice.

    Args:
        label: the phase of the training, which with the seed determines the order and the views.
    """
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        groups[example.task, example.protocol].append(index)
    run_views = {name: _run_views(tasks[name], views, seed, label) for name, _ in groups}
    plan: Plan = []
    for epoch in range(epochs):
        batches: list[Batch] = []
        for (task_name, protocol), indices in sorted(groups.items()):
            task, key = tasks[task_name], f"{label}/{seed}/{epoch}/{task_name}/{protocol}"
            rng = Random(key)
            rows = _shuffled(indices, examples, rng) if options.by_problem else rng.sample(indices, len(indices))
            chunks = split_evenly(rows, options.size, options.processes)
            drawn = _views(task, views, len(chunks), rng, key, run_views[task_name])
            for chunk, view in zip(chunks, drawn, strict=True):
                shown = with_called_functions(view, task, [examples[index] for index in chunk])
                batches.append(Batch(tuple(chunk), shown))
        Random(f"{label}/{seed}/{epoch}").shuffle(batches)
        plan.append(batches)
    return plan


def _shuffled(indices: Sequence[int], examples: Sequence[Pair | Demonstration], rng: Random) -> list[int]:
    """The indices in random order of the problems, those of one problem next to each other."""
    by_problem: dict[str, list[int]] = defaultdict(list)
    for index in indices:
        by_problem[examples[index].problem_id].append(index)
    problems = list(by_problem.values())
    rng.shuffle(problems)
    return [index for problem in problems for index in problem]


def split_evenly(rows: Sequence[int], size: int, processes: int) -> list[list[int]]:
    """Split rows into as few chunks of at most `size` x `processes` as possible, of nearly equal sizes.

    The size of each chunk is a multiple of `processes`; the last chunk is filled up with the first rows.

    >>> split_evenly(range(9), size=4, processes=1)
    [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    >>> split_evenly(range(5), size=2, processes=2)
    [[0, 1], [2, 3, 4, 0]]
    """
    per_process = -(-len(rows) // processes)
    filled = (list(rows) * processes)[: per_process * processes]
    count = -(-per_process // size)
    ends = [per_process * number // count * processes for number in range(count + 1)]
    return [filled[start:end] for start, end in pairwise(ends)]


def _run_views(task: Task, params: ViewsParams, seed: int, label: str) -> list[View]:
    """The views of a training that does not draw a new one for each batch, without the plain one if there are others.

    How often the plain view occurs is set by `params.plain`.
    """
    if params.train == "batch":
        return []
    plain, *drawn = draw_views(task, params, params.train, seed, label)
    return drawn or [plain]


def _views(task: Task, params: ViewsParams, count: int, rng: Random, key: str, run_views: Sequence[View]) -> list[View]:
    """The views of `count` batches of a task.

    A share `params.plain` of them is plain, as near as whole batches allow. The others are drawn: anew for each batch
    (without `run_views`), or from `run_views`.
    """
    plain_count = int(count * params.plain + rng.random())
    views = [PLAIN] * plain_count
    for number in range(count - plain_count):
        if run_views:
            views.append(rng.choice(run_views))
        else:
            views.append(draw_view(task, params, rng, f"{key}/{number}"))
    rng.shuffle(views)
    return views


def in_view(example: ExampleT, tasks: Tasks, view: View) -> ExampleT:
    """The example as the view of its batch shows it; with the plain view, as it is."""
    return example if view == PLAIN else rendered(example, tasks[example.task], view)


def count_batches(plan: Plan) -> BatchCounts:
    """Counts of a plan's batches and views."""
    views = [batch.view for batches in plan for batch in batches]
    return BatchCounts(
        batches=len(views),
        views=len({view.key for view in views}),
        plain=round(sum(view == PLAIN for view in views) / len(views), 4),
    )
