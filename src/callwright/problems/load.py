"""From a source to the three splits: read, split, deduplicate, decontaminate, report."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from callwright.errors import DataError
from callwright.params import Gsm8kSource, ProblemsParams
from callwright.problems.decontaminate import decontaminate
from callwright.problems.gsm8k import read_gsm8k
from callwright.problems.jsonl import ParseCall, read_jsonl_problems
from callwright.problems.source import LeftOut, Sourced
from callwright.problems.split import deduplicate, split_by_group
from callwright.problems.synthetic import synthetic_problems
from callwright.records import SPLITS, Problem, Split

MAX_NAMED = 20  # left-out rows that the report names


def load_problems(
    params: ProblemsParams, seed: int, parse_call: ParseCall
) -> tuple[dict[Split, list[Problem]], dict[str, Any]]:
    """The problems of every split, and a report of what was read and left out (counts reconcile).

    Args:
        parse_call: reads a solution's call that is written as text.

    Raises:
        DataError: the source is missing or leaves out more than `max_left_out`, or a split would be empty.
    """
    match params.source:
        case "synthetic":
            own = params.synthetic
            counts: Mapping[Split, int] = {"train": own.train, "dev": own.dev, "test": own.test}
            sourced = synthetic_problems(counts, own.held_out_test, seed)
        case "gsm8k":
            sourced = _gsm8k(Path(params.path), params.gsm8k, seed)
        case "jsonl":
            sourced = _jsonl(params, seed, parse_call)
    read = len(sourced.problems) + len(sourced.left_out)
    _check_left_out(sourced, read, params)
    unique, repeated = deduplicate(sourced.problems)
    test = [problem for problem in unique if problem.split == "test"]
    clean, leaked = decontaminate([problem for problem in unique if problem.split != "test"], test)
    splits = {split: [problem for problem in [*clean, *test] if problem.split == split] for split in SPLITS}
    if params.source == "gsm8k":
        splits = _limited(splits, params.gsm8k, seed)
    empty = [split for split in SPLITS if not splits[split]]
    if empty:
        raise DataError(f"problems: no problem in split {', '.join(empty)}; give the source more rows or other shares")
    return splits, _report(sourced, read, repeated, leaked, splits)


def _gsm8k(folder: Path, source: Gsm8kSource, seed: int) -> Sourced:
    train = read_gsm8k(folder / "train.jsonl", "train")
    test = read_gsm8k(folder / "test.jsonl", "test")
    dev = {problem.id for problem in _shuffled(train.problems, seed)[: source.dev]}
    problems = [replace(problem, split="dev") if problem.id in dev else problem for problem in train.problems]
    return Sourced(problems + test.problems, train.left_out + test.left_out)


def _jsonl(params: ProblemsParams, seed: int, parse_call: ParseCall) -> Sourced:
    source = params.jsonl
    sourced = read_jsonl_problems(Path(params.path), params.max_left_out, parse_call)
    shares: dict[Split, float] = {
        "train": 1 - source.dev_share - source.test_share,
        "dev": source.dev_share,
        "test": source.test_share,
    }
    unsplit = [problem for problem in sourced.problems if problem.id in sourced.unsplit]
    placed = {problem.id: problem for problem in split_by_group(unsplit, shares, seed)} if unsplit else {}
    return Sourced([placed.get(problem.id, problem) for problem in sourced.problems], sourced.left_out)


def _limited(splits: dict[Split, list[Problem]], source: Gsm8kSource, seed: int) -> dict[Split, list[Problem]]:
    limits: dict[Split, int | None] = {"train": source.train, "dev": source.dev, "test": source.test}
    return {
        split: sorted(_shuffled(problems, seed)[: limits[split]], key=lambda problem: problem.id)
        for split, problems in splits.items()
    }


def _shuffled(problems: Sequence[Problem], seed: int) -> list[Problem]:
    return random.Random(f"problems/{seed}").sample(problems, len(problems))


def _check_left_out(sourced: Sourced, read: int, params: ProblemsParams) -> None:
    if len(sourced.left_out) > params.max_left_out * read:
        first = sourced.left_out[0]
        raise DataError(
            f"{first.where}: {first.reason}; {len(sourced.left_out):,} of {read:,} rows were left out, "
            f"limit {params.max_left_out:.0%} (problems.max_left_out)"
        )


def _report(
    sourced: Sourced,
    read: int,
    repeated: Sequence[LeftOut],
    leaked: Sequence[LeftOut],
    splits: Mapping[Split, Sequence[Problem]],
) -> dict[str, Any]:
    reasons = Counter(one.reason for one in [*sourced.left_out, *repeated, *leaked])
    return {
        "read": read,
        "left_out": dict(sorted(reasons.items())),
        "examples": [f"{one.where}: {one.reason}" for one in sourced.left_out[:MAX_NAMED]],
        "splits": {
            split: {
                "problems": len(problems),
                "groups": len({problem.group for problem in problems}),
                "steps": dict(sorted(Counter(str(len(p.solution) - 1) for p in problems if p.solution).items())),
            }
            for split, problems in splits.items()
        },
    }
