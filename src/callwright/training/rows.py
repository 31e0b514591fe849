"""The rows of a training: its batches are planned, and each example is rendered in the view of its batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from datasets import Dataset

from callwright.agent.conversation import ExampleT, rendered
from callwright.params import ViewsParams
from callwright.preferences.dialogue import check_rows
from callwright.reports.train import BatchCounts, RowCounts
from callwright.tasks.tasks import Tasks
from callwright.tasks.view import PLAIN
from callwright.training.batch_plan import Batch, BatchOptions, count_batches, plan_batches
from callwright.training.batches import PlannedBatchSampler, token_dataset


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """The rows of all epochs in the order of the training, and the sampler that puts them into batches."""

    dataset: Dataset
    sampler: PlannedBatchSampler
    row_counts: RowCounts
    batch_counts: BatchCounts


def training_rows(
    examples: Sequence[ExampleT],
    tasks: Tasks,
    views: ViewsParams,
    options: BatchOptions,
    tokenizer: Any,
    *,
    epochs: float,
    max_length: int,
    seed: int,
    label: str,
    process: int,
) -> TrainingRows:
    """Plan the batches of a training and tokenize their rows.

    All rows are tokenized and checked before the first step: a new view makes another row of an example.

    Args:
        epochs: rounded up.
        seed, label: see `plan_batches`.
        process: index of this process, which gets its share of each batch from the sampler.

    Raises:
        DataError: a row cannot be trained on (see `check_rows`).
    """
    plan = plan_batches(examples, tasks, views, options, epochs=ceil(epochs), seed=seed, label=label)
    counts, rows = check_rows(_rendered_rows(plan, examples, tasks), tokenizer, max_length)
    sizes = [[len(batch.examples) for batch in batches] for batches in plan]
    sampler = PlannedBatchSampler(sizes, process, options.processes)
    return TrainingRows(token_dataset(rows), sampler, counts, count_batches(plan))


def _rendered_rows(plan: Sequence[Sequence[Batch]], examples: Sequence[ExampleT], tasks: Tasks) -> Iterator[ExampleT]:
    for batches in plan:
        for batch in batches:
            for index in batch.examples:
                example = examples[index]
                yield example if batch.view == PLAIN else rendered(example, tasks[example.task], batch.view)
