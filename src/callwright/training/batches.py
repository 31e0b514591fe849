"""The order of pairs in which those of one problem meet in a batch, so that more of it is shared."""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler


class ByProblem(Sampler[int]):
    """Indices of the examples, problem by problem, the problems in a new random order every epoch.

    Args:
        problems: the problem of every example.
    """

    def __init__(self, problems: Sequence[str], seed: int) -> None:
        self._members: dict[str, list[int]] = {}
        for index, problem in enumerate(problems):
            self._members.setdefault(problem, []).append(index)
        self._count = len(problems)
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        groups = list(self._members.values())
        generator = torch.Generator().manual_seed(self._seed + self._epoch)
        for place in torch.randperm(len(groups), generator=generator).tolist():
            yield from groups[place]
