"""The rows of a training: each example is rendered in the view of its batch, and tokenized."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from datasets import Dataset

from callwright.agent.conversation import ExampleT
from callwright.preferences.dialogue import check_rows
from callwright.reports.train import BatchCounts, RowCounts
from callwright.tasks.tasks import Tasks
from callwright.training.batch_plan import Plan, count_batches, in_view
from callwright.training.batches import PlannedBatchSampler, token_dataset


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """The rows of all epochs in the order of the training, and the sampler that puts them into batches."""

    dataset: Dataset
    sampler: PlannedBatchSampler
    row_counts: RowCounts
    batch_counts: BatchCounts


def training_rows(
    plan: Plan,
    examples: Sequence[ExampleT],
    tasks: Tasks,
    tokenizer: Any,
    *,
    max_length: int,
    process: int,
    processes: int,
) -> TrainingRows:
    """Tokenize the rows of a training.

    All rows are tokenized and checked before the first step: a new view makes another row of an example.

    Args:
        plan: of these examples, for this number of processes.
        process: index of this process, which gets its share of each batch from the sampler.

    Raises:
        DataError: a row cannot be trained on (see `check_rows`).
    """
    counts, rows = check_rows(_rendered_rows(plan, examples, tasks), tokenizer, max_length)
    sizes = [[len(batch.examples) for batch in batches] for batches in plan]
    sampler = PlannedBatchSampler(sizes, process, processes)
    return TrainingRows(token_dataset(rows), sampler, counts, count_batches(plan))


def _rendered_rows(plan: Plan, examples: Sequence[ExampleT], tasks: Tasks) -> Iterator[ExampleT]:
    for batches in plan:
        for batch in batches:
            for index in batch.examples:
                yield in_view(examples[index], tasks, batch.view)
