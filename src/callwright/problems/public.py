"""Read the public problem sets from the files of their repositories, and limit their size."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from callwright.problems.folio import read_folio
from callwright.problems.gsm8k import read_gsm8k
from callwright.problems.proofwriter import read_proofwriter
from callwright.problems.source import SourceResult
from callwright.records import Problem, Split

PublicSource = Literal["gsm8k", "folio", "proofwriter"]


def read_public(source: PublicSource, folder: Path, dev_count: int | None, seed: int) -> SourceResult:
    """Read all problems of a public set, with their splits.

    Args:
        folder: has GSM8K's train.jsonl and test.jsonl, FOLIO's train.jsonl and validation.jsonl (the test split), or
            ProofWriter's train.json, dev.json and test.json.
        dev_count: problems that move from train to dev, in whole groups, if the set has no dev file; None: 10 %.

    Raises:
        DataError: a file cannot be read.
    """
    match source:
        case "gsm8k":
            parts = [read_gsm8k(folder / "train.jsonl", "train"), read_gsm8k(folder / "test.jsonl", "test")]
        case "folio":
            parts = [read_folio(folder / "train.jsonl", "train"), read_folio(folder / "validation.jsonl", "test")]
        case "proofwriter":
            splits: Sequence[Split] = ("train", "dev", "test")
            parts = [read_proofwriter(folder / f"{split}.json", split) for split in splits]
    source_result = SourceResult()
    for part in parts:
        source_result.problems += part.problems
        source_result.dropped += part.dropped
        source_result.row_locations |= part.row_locations
        source_result.surprises += part.surprises
    if source != "proofwriter":
        source_result.problems = _move_groups_to_dev(source_result.problems, dev_count, seed)
    return source_result


def limit_splits(
    splits: Mapping[Split, list[Problem]], limits: Mapping[str, int | None], seed: int
) -> dict[Split, list[Problem]]:
    """Limit each split to a number of problems drawn at random, in the order of their ids; None: all problems."""
    return {
        split: sorted(_shuffled(problems, seed)[: limits[split]], key=lambda problem: problem.id)
        for split, problems in splits.items()
    }


def _move_groups_to_dev(problems: Sequence[Problem], dev_count: int | None, seed: int) -> list[Problem]:
    """Move random groups from train to dev until dev has at least `dev_count` problems."""
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
