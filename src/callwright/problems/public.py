"""The public problem sets, from the files that their repositories give."""

import random
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


def read_public(source: PublicSource, folder: Path, dev: int | None, seed: int) -> SourceResult:
    """All problems of a public set with their splits.

    Args:
        folder: with GSM8K's train.jsonl and test.jsonl, FOLIO's train.jsonl and validation.jsonl (its test), or
            ProofWriter's train.json, dev.json and test.json.
        dev: problems that become dev, in whole groups, where the set has no dev file; None: a tenth.

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
        source_result.problems = _move_groups_to_dev(source_result.problems, dev, seed)
    return source_result


def limit_splits(
    splits: Mapping[Split, list[Problem]], limits: Mapping[str, int | None], seed: int
) -> dict[Split, list[Problem]]:
    """At most so many problems of each split, drawn at random, in the order of their ids; None: all."""
    return {
        split: sorted(_shuffled(problems, seed)[: limits[split]], key=lambda problem: problem.id)
        for split, problems in splits.items()
    }


def _move_groups_to_dev(problems: Sequence[Problem], dev: int | None, seed: int) -> list[Problem]:
    """Some groups of train become dev: as many as it takes to have `dev` problems."""
    train = [problem for problem in problems if problem.split == "train"]
    wanted = len(train) // 10 if dev is None else dev
    groups: dict[str, int] = {}
    for problem in train:
        groups[problem.group] = groups.get(problem.group, 0) + 1
    chosen: set[str] = set()
    for group in random.Random(f"dev/{seed}").sample(sorted(groups), len(groups)):
        if wanted <= 0:
            break
        chosen.add(group)
        wanted -= groups[group]
    return [replace(one, split="dev") if one.split == "train" and one.group in chosen else one for one in problems]


def _shuffled(problems: Sequence[Problem], seed: int) -> list[Problem]:
    return random.Random(f"problems/{seed}").sample(problems, len(problems))
