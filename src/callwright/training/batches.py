"""Batches of one problem, and TRL's collator with a mask of what the model wrote."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler
from trl.trainer.dpo_trainer import DataCollatorForPreference


class MaskedPreferenceCollator(DataCollatorForPreference):
    """TRL's collator, whose completion mask is 1 at every token after the prompt, with our masks in their place.

    Rows bring `chosen_mask` and `rejected_mask`, one number a token of that completion (see `check_rows`); keep them
    with `remove_unused_columns=False`. TRL takes labels, log-probs and averages from the completion mask alone.
    """

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """A batch of 2 x len(examples) sequences, the chosen ones first.

        Raises:
            ValueError: a mask is not as long as its completion.
        """
        batch: dict[str, Any] = super().torch_call(examples)
        sides = [(side, example) for side in ("chosen", "rejected") for example in examples]
        for row, (side, example) in zip(batch["completion_mask"], sides, strict=True):
            start, mask = len(example["prompt_ids"]), example[f"{side}_mask"]
            if len(mask) != len(example[f"{side}_ids"]):
                raise ValueError(f"{len(mask)} numbers mask {len(example[f'{side}_ids'])} tokens")
            row[start : start + len(mask)] = torch.tensor(mask)
        return batch


class ByProblemSampler(Sampler[int]):
    """Indices of the examples, problem by problem, the problems in a new random order every epoch.

    Args:
        problems: the problem of every example.
    """

    def __init__(self, problems: Sequence[str], seed: int) -> None:
        self._indices_by_problem: dict[str, list[int]] = {}
        for index, problem in enumerate(problems):
            self._indices_by_problem.setdefault(problem, []).append(index)
        self._count = len(problems)
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        groups = list(self._indices_by_problem.values())
        generator = torch.Generator().manual_seed(self._seed + self._epoch)
        for place in torch.randperm(len(groups), generator=generator).tolist():
            yield from groups[place]
