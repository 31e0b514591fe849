"""The rows of each batch, and the masks of a batch."""

import pytest
from accelerate import skip_first_batches

from callwright.training.batches import EpochDataLoader, MaskedPreferenceCollator, PlannedBatchSampler, token_dataset


def test_the_sampler_gives_the_rows_of_the_epoch_in_batches():
    sampler = PlannedBatchSampler([[2, 1], [1, 2]])
    assert list(sampler) == [[0, 1], [2]]
    assert len(sampler) == 2
    sampler.set_epoch(1)
    assert list(sampler) == [[3], [4, 5]]


def test_processes_share_each_batch_and_together_get_all_rows():
    sizes = [[4, 2], [2, 4]]
    samplers = [PlannedBatchSampler(sizes, process, 2) for process in range(2)]
    assert [list(sampler) for sampler in samplers] == [[[0, 1], [4]], [[2, 3], [5]]]
    for sampler in samplers:
        sampler.set_epoch(1)
    assert [list(sampler) for sampler in samplers] == [[[6], [8, 9]], [[7], [10, 11]]]


def test_a_resumed_epoch_skips_the_batches_that_are_finished():
    """As the trainer does it: a new sampler is at epoch 0, and `set_epoch` is called after skipping."""
    rows = [{"input_ids": [number], "labels": [number]} for number in range(6)]

    def loader() -> EpochDataLoader:
        sampler = PlannedBatchSampler([[2, 1], [1, 1, 1]])
        return EpochDataLoader(token_dataset(rows), batch_sampler=sampler, collate_fn=lambda batch: batch)

    uninterrupted = loader()
    uninterrupted.set_epoch(1)
    assert [[row["input_ids"] for row in batch] for batch in uninterrupted] == [[[3]], [[4]], [[5]]]
    resumed = skip_first_batches(loader(), 1)
    resumed.batch_sampler.batch_sampler.set_epoch(1)
    assert [[row["input_ids"] for row in batch] for batch in resumed] == [[[4]], [[5]]]


def test_the_collator_puts_the_masks_after_the_prompts():
    first = {"prompt_ids": [1, 2], "chosen_ids": [3, 4, 5], "rejected_ids": [6]}
    second = {"prompt_ids": [1], "chosen_ids": [7], "rejected_ids": [8, 9]}
    examples = [
        first | {"chosen_mask": [1, 0, 1], "rejected_mask": [1]},
        second | {"chosen_mask": [1], "rejected_mask": [0, 1]},
    ]
    batch = MaskedPreferenceCollator(0)(examples)
    assert batch["input_ids"].tolist() == [[1, 2, 3, 4, 5], [1, 7, 0, 0, 0], [1, 2, 6, 0, 0], [1, 8, 9, 0, 0]]
    assert batch["completion_mask"].tolist() == [[0, 0, 1, 0, 1], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0]]
    examples[0]["chosen_mask"] = [1, 0]
    with pytest.raises(ValueError, match="mask has 2 entries for 3 tokens"):
        MaskedPreferenceCollator(0)(examples)
