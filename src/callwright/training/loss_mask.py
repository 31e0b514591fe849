"""Whole chains in TRL's DPO: the loss is on what the model writes, not on results and users' words between."""

from typing import Any

import torch
from trl.trainer.dpo_trainer import DataCollatorForPreference


class MaskedPreference(DataCollatorForPreference):
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
