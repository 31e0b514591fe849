"""The order of the training pairs, and the masks of a batch."""

from itertools import pairwise

import pytest

from callwright.training.batches import ByProblemSampler, MaskedPreferenceCollator

PROBLEMS = ["a", "b", "a", "c", "b", "a", "d", "e"]


def test_every_pair_is_drawn_once_and_pairs_of_one_problem_are_adjacent():
    order = list(ByProblemSampler(PROBLEMS, seed=1))
    assert sorted(order) == list(range(8))
    names = [PROBLEMS[index] for index in order]
    assert sum(name != following for name, following in pairwise(names)) == 4  # five problems, four changes


def test_the_order_changes_with_the_epoch_only():

    sampler = ByProblemSampler(PROBLEMS * 3, seed=1)
    first = list(sampler)
    assert first == list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    assert second != first
    assert sorted(second) == sorted(first)
    assert len(sampler) == 24


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
