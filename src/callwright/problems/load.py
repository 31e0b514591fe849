"""From a source to the three splits: read, check, split, deduplicate, decontaminate."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from callwright.errors import DataError
from callwright.params import JsonlSource, ProblemsParams, SyntheticSource
from callwright.problems.check import check_problem
from callwright.problems.decontaminate import decontaminate
from callwright.problems.jsonl import ParseCall, SourcedJsonl, read_jsonl_problems
from callwright.problems.public import limited, read_public
from callwright.problems.source import LeftOut, Sourced
from callwright.problems.split import deduplicate, split_by_group
from callwright.records import SPLITS, Problem, Split
from callwright.surprises import Surprise
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from callwright.tasks.entailment.synthetic.problems import entailment_problems
from callwright.tasks.task import Task
from callwright.tasks.translation.synthetic.problems import translation_problems

_SYNTHETIC = {
    "arithmetic": synthetic_problems,
    "translation": translation_problems,
    "entailment": entailment_problems,
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Problems by split, and what became of the other rows.

    Attributes:
        read: rows of the source.
        unusable: rows that are not problems; `problems.max_left_out` bounds their share.
        repeated: problems whose question occurs twice, or gives a test question away.
        surprises: unexpected exceptions, each with the place of its row, which is among the unusable ones.
    """

    splits: Mapping[Split, list[Problem]]
    read: int
    unusable: list[LeftOut]
    repeated: list[LeftOut]
    surprises: list[tuple[Surprise, str]]

    @property
    def left_out(self) -> list[LeftOut]:
        """All rows that did not come into a split."""
        return [*self.unusable, *self.repeated]

    @property
    def reasons(self) -> Counter[str]:
        """How many rows were left out for each reason."""
        return Counter(row.reason for row in self.left_out)


def load_problems(params: ProblemsParams, seed: int, tasks: Mapping[str, Task], parse_call: ParseCall) -> Loaded:
    """The problems of every split, checked, and the rows that were left out. What is wrong with a row costs that row.

    Args:
        parse_call: reads a solution's call that is written as text.

    Raises:
        DataError: the source cannot be read.
    """
    sourced = _read_source(params, seed, parse_call)
    rows_read = len(sourced.problems) + len(sourced.left_out)
    sourced.keep(lambda problem: check_problem(problem, tasks, execute=params.source in ("synthetic", "jsonl")))
    if isinstance(sourced, SourcedJsonl):
        _share_out(sourced, params.jsonl, seed)
    unique, repeated = deduplicate(sourced.problems)
    test = [problem for problem in unique if problem.split == "test"]
    training = [problem for problem in unique if problem.split != "test"]
    clean, leaked = decontaminate(training, test, params.shared_words)
    splits = {split: [problem for problem in [*clean, *test] if problem.split == split] for split in SPLITS}
    if params.source not in ("synthetic", "jsonl"):
        splits = limited(splits, params.public.model_dump(), seed)
    return Loaded(splits, rows_read, sourced.left_out, [*repeated, *leaked], sourced.surprises)


def raise_if_unusable(loaded: Loaded, max_left_out: float, listed: Path) -> None:
    """
    Args:
        max_left_out: the largest share of the source's rows that may be unusable.
        listed: the file that lists the rows that were left out.

    Raises:
        DataError: more rows are unusable, or a split is empty.
    """
    unusable = len(loaded.unusable)
    if unusable > max_left_out * loaded.read:
        raise DataError(
            f"{loaded.unusable[0]}; {unusable:,} of {loaded.read:,} rows were left out, more than "
            f"problems.max_left_out: {max_left_out:g} allows: mend them, or raise it ({listed} lists them)"
        )
    empty = [split for split in SPLITS if not loaded.splits[split]]
    if empty:
        reasons = loaded.reasons.most_common(1)
        why = "".join(f"; {count:,} left out: {reason}" for reason, count in reasons)
        raise DataError(
            f"problems: no problem in split {', '.join(empty)}{why} ({listed} lists them); "
            "give the source more rows or other shares (docs/own-problems.md)"
        )


def _read_source(params: ProblemsParams, seed: int, parse_call: ParseCall) -> Sourced:
    match params.source:
        case "synthetic":
            return _synthetic(params.synthetic, seed)
        case "jsonl":
            return read_jsonl_problems(Path(params.path), parse_call)
        case _:
            return read_public(params.source, Path(params.path), params.public.dev, seed)


def _synthetic(source: SyntheticSource, seed: int) -> Sourced:
    sourced = Sourced()
    for task, generate in _SYNTHETIC.items():
        counts = getattr(source, task)
        by_split: Mapping[Split, int] = {"train": counts.train, "dev": counts.dev, "test": counts.test}
        sourced.problems += generate(by_split, counts.held_out_test, seed)
    return sourced


def _share_out(sourced: SourcedJsonl, source: JsonlSource, seed: int) -> None:
    """Give the problems whose row named no split one each."""
    shares: dict[Split, float] = {
        "train": 1 - source.dev_share - source.test_share,
        "dev": source.dev_share,
        "test": source.test_share,
    }
    unsplit = [problem for problem in sourced.problems if problem.id in sourced.unsplit]
    placed = {problem.id: problem for problem in split_by_group(unsplit, shares, seed)} if unsplit else {}
    sourced.problems = [placed.get(problem.id, problem) for problem in sourced.problems]
