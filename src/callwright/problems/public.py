"""What public problem sets have in common: a file per split, a dev split taken from train, and a limited size."""

import random
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from callwright.params.section import Section
from callwright.problems.source import Source, SourceInputs, SourceResult
from callwright.records import Problem, Split


class PublicParams(Section):
    """Numbers of problems of a public set; None: all."""

    train: int | None = Field(ge=1)
    dev: int | None = Field(ge=1)
    test: int | None = Field(ge=1)


class PublicSet(Source[PublicParams]):
    """A set that people download: one file per split, as in its repository.

    Attributes:
        files: split -> name of the file in the folder `problems.path`. Without a dev file, dev is taken from train.
    """

    section = "public"
    params_type = PublicParams
    files: ClassVar[Mapping[Split, str]]

    @abstractmethod
    def read_file(self, path: Path, split: Split, result: SourceResult) -> None:
        """Add the problems of one file to the result.

        Raises:
            DataError: the file cannot be read.
        """

    @classmethod
    def describe_path(cls) -> str:
        names = [f"`{name}`" for name in cls.files.values()]
        return f"the folder of {', '.join(names[:-1])} and {names[-1]}"

    def read(self, inputs: SourceInputs, result: SourceResult) -> None:
        for split, name in self.files.items():
            self.read_file(inputs.path / name, split, result)

    def assign_splits(self, result: SourceResult, seed: int) -> Sequence[Problem]:
        if "dev" in self.files:
            return result.problems
        return _move_groups_to_dev(result.problems, self.params.dev, seed)

    def limit_splits(self, splits: Mapping[Split, list[Problem]], seed: int) -> Mapping[Split, list[Problem]]:
        """Limit each split to a number of problems drawn at random, in the order of their ids; None: all problems."""
        limits = self.params.model_dump()
        return {
            split: sorted(_shuffled(problems, seed)[: limits[split]], key=lambda problem: problem.id)
            for split, problems in splits.items()
        }


def _move_groups_to_dev(problems: Sequence[Problem], dev_count: int | None, seed: int) -> list[Problem]:
    """Move random groups from train to dev until dev has at least `dev_count` problems; None: 10 %."""
    train = [problem for problem in problems if problem.split == "train"]
    missing = len(train) // 10 if dev_count is None else dev_count
    size_by_group = Counter(problem.group for problem in train)
    dev_groups: set[str] = set()
    for group in random.Random(f"dev/{seed}").sample(sorted(size_by_group), len(size_by_group)):
        if missing <= 0:
            break
        dev_groups.add(group)
        missing -= size_by_group[group]
    return [
        replace(problem, split="dev") if problem.split == "train" and problem.group in dev_groups else problem
        for problem in problems
    ]


def _shuffled(problems: Sequence[Problem], seed: int) -> list[Problem]:
    return random.Random(f"problems/{seed}").sample(problems, len(problems))
