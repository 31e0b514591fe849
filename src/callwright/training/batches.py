"""Planned batches in TRL's trainers, and a collator with loss masks."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset, Features, List, Value
from torch.utils.data import DataLoader, Sampler
from trl import DPOTrainer, SFTTrainer
from trl.trainer.dpo_trainer import DataCollatorForPreference

from callwright.preferences.dialogue import TokenRow


class MaskedPreferenceCollator(DataCollatorForPreference):
    """TRL's collator with our loss masks: tool results and user messages inside a completion are not trained on.

    TRL's own completion mask is 1 at every token after the prompt. Labels, log-probs and averages all come from it.
    Examples need `chosen_mask` and `rejected_mask` (one 0 or 1 per completion token, see `check_rows`), which the
    trainer keeps with `remove_unused_columns=False`.
    """

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """Collate B examples to a batch of 2 B sequences, the chosen ones first; every tensor is (2 B, L).

        Raises:
            ValueError: a mask and its completion differ in length.
        """
        batch: dict[str, Any] = super().torch_call(examples)
        sides = [(side, example) for side in ("chosen", "rejected") for example in examples]
        for sequence_mask, (side, example) in zip(batch["completion_mask"], sides, strict=True):
            start, mask = len(example["prompt_ids"]), example[f"{side}_mask"]
            if len(mask) != len(example[f"{side}_ids"]):
                raise ValueError(f"mask has {len(mask)} entries for {len(example[f'{side}_ids'])} tokens")
            sequence_mask[start : start + len(mask)] = torch.tensor(mask)
        return batch


class PlannedBatchSampler(Sampler[list[int]]):
    """The row numbers of each batch of an epoch, of which this process gets its share.

    The trainer sets the epoch, and skips the batches that a resumed training has finished.

    Args:
        sizes: for each epoch the number of rows of each batch, a multiple of `processes`. The rows of the dataset are
            in this order.
        process: index of this process.
    """

    def __init__(self, sizes: Sequence[Sequence[int]], process: int = 0, processes: int = 1) -> None:
        self._sizes = sizes
        self._process, self._processes = process, processes
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._sizes[self._epoch])

    def __iter__(self) -> Iterator[list[int]]:
        start = sum(map(sum, self._sizes[: self._epoch]))
        for size in self._sizes[self._epoch]:
            share = size // self._processes
            first = start + self._process * share
            yield list(range(first, first + share))
            start += size


class EpochDataLoader(DataLoader[Any]):
    """A data loader that passes the epoch on to its batch sampler, as the trainer calls only `set_epoch` here."""

    def set_epoch(self, epoch: int) -> None:
        self.batch_sampler.set_epoch(epoch)  # type: ignore[union-attr]


class PlannedBatches:
    """Mixin for TRL's trainers: they take rows of tokens and planned batches as they are.

    So every row that is trained on is one that `check_rows` has checked. Accelerate does not shard the batches, because
    it would fill up the last ones with rows of other prompts; each process takes its share of every batch.
    """

    train_dataset: Any
    data_collator: Any
    batch_sampler: PlannedBatchSampler  # set it before training

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset

    def get_train_dataloader(self) -> DataLoader[Any]:
        return EpochDataLoader(self.train_dataset, batch_sampler=self.batch_sampler, collate_fn=self.data_collator)


class PlannedDPOTrainer(PlannedBatches, DPOTrainer):
    """TRL's trainer on pairs, with planned batches."""


class PlannedSFTTrainer(PlannedBatches, SFTTrainer):
    """TRL's trainer on demonstrations, with planned batches."""


def token_dataset(rows: Sequence[TokenRow]) -> Dataset:
    """Rows of tokens as an Arrow table in memory, 4 bytes a token."""
    columns = {name: [np.asarray(row[name], dtype=np.int32) for row in rows] for name in rows[0]}
    return Dataset.from_dict(columns, features=Features({name: List(Value("int32")) for name in columns}))
