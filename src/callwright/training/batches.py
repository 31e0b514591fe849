"""Batching for preference training: a sampler that groups pairs by problem, and a collator with loss masks."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler
from trl.trainer.dpo_trainer import DataCollatorForPreference


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


class ByProblemSampler(Sampler[int]):
    """Indices of the examples, grouped by problem; the order of the problems is random and differs per epoch.

    Pairs of one problem share a prompt, so prefix sharing saves more if they are in the same batch.

    Args:
        problems: problem id of every example.
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
        for group_index in torch.randperm(len(groups), generator=generator).tolist():
            yield from groups[group_index]
