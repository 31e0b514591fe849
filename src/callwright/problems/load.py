"""From a source to the three splits: read, split, deduplicate, decontaminate, report."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from callwright.errors import DataError
from callwright.params import ProblemsParams, SyntheticSource
from callwright.problems.decontaminate import decontaminate
from callwright.problems.jsonl import ParseCall, read_jsonl_problems
from callwright.problems.public import limited, read_public
from callwright.problems.source import LeftOut, Sourced
from callwright.problems.split import deduplicate, split_by_group
from callwright.problems.synthetic import synthetic_problems
from callwright.problems.synthetic_logic.entailment import entailment_problems
from callwright.problems.synthetic_logic.translation import translation_problems
from callwright.records import SPLITS, Problem, Split

_SYNTHETIC = {
    "arithmetic": synthetic_problems,
    "translation": translation_problems,
    "entailment": entailment_problems,
}
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
            sourced = _synthetic(params.synthetic, seed)
        case "jsonl":
            sourced = _jsonl(params, seed, parse_call)
        case _:
            sourced = read_public(params.source, Path(params.path), params.public.dev, seed)
    read = len(sourced.problems) + len(sourced.left_out)
    _check_left_out(sourced, read, params)
    unique, repeated = deduplicate(sourced.problems)
    test = [problem for problem in unique if problem.split == "test"]
    clean, leaked = decontaminate([problem for problem in unique if problem.split != "test"], test)
    splits = {split: [problem for problem in [*clean, *test] if problem.split == split] for split in SPLITS}
    if params.source not in ("synthetic", "jsonl"):
        splits = limited(splits, params.public.model_dump(), seed)
    empty = [split for split in SPLITS if not splits[split]]
    if empty:
        why = "".join(
            f"; {count:,} left out: {reason}" for reason, count in Counter(one.reason for one in leaked).most_common(1)
        )
        raise DataError(
            f"problems: no problem in split {', '.join(empty)}{why}; give the source more rows or other shares "
            "(docs/own-problems.md)"
        )
    return splits, _report(sourced, read, repeated, leaked, splits)


def _synthetic(source: SyntheticSource, seed: int) -> Sourced:
    sourced = Sourced()
    for task, generate in _SYNTHETIC.items():
        counts = getattr(source, task)
        by_split: Mapping[Split, int] = {"train": counts.train, "dev": counts.dev, "test": counts.test}
        sourced.problems += generate(by_split, counts.held_out_test, seed).problems
    return sourced


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
