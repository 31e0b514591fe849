"""From a source to the three splits: read, check, split, deduplicate, decontaminate."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from callwright.errors import DataError
from callwright.params import JsonlParams, ProblemsParams, SyntheticParams
from callwright.problems.check import check_problem
from callwright.problems.decontaminate import decontaminate
from callwright.problems.jsonl import JsonlSourceResult, ParseCall, read_jsonl_problems
from callwright.problems.public import limit_splits, read_public
from callwright.problems.source import DroppedRow, SourceResult
from callwright.problems.split import deduplicate, split_by_group
from callwright.records import SPLITS, Problem, Split
from callwright.surprises import Surprise
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from callwright.tasks.entailment.synthetic.problems import entailment_problems
from callwright.tasks.task import Task
from callwright.tasks.translation.synthetic.problems import translation_problems

_SYNTHETIC_GENERATORS = {
    "arithmetic": synthetic_problems,
    "translation": translation_problems,
    "entailment": entailment_problems,
}


@dataclass(frozen=True, slots=True)
class LoadedProblems:
    """Problems by split, and what became of the other rows.

    Attributes:
        read: rows of the source.
        unusable: rows that are not problems; `problems.max_left_out` bounds their share.
        repeated: problems whose question occurs twice, or gives a test question away.
        surprises: unexpected exceptions, each with the place of its row, which is among the unusable ones.
    """

    splits: Mapping[Split, list[Problem]]
    read: int
    unusable: list[DroppedRow]
    repeated: list[DroppedRow]
    surprises: list[tuple[Surprise, str]]

    @property
    def dropped(self) -> list[DroppedRow]:
        """All rows that did not come into a split."""
        return [*self.unusable, *self.repeated]

    @property
    def reasons(self) -> Counter[str]:
        """How many rows were left out for each reason."""
        return Counter(row.reason for row in self.dropped)


def load_problems(
    params: ProblemsParams, seed: int, tasks: Mapping[str, Task], parse_call: ParseCall
) -> LoadedProblems:
    """The problems of every split, checked, and the rows that were left out. What is wrong with a row costs that row.

    Args:
        parse_call: reads a solution's call that is written as text.

    Raises:
        DataError: the source cannot be read.
    """
    source_result = _read_source(params, seed, parse_call)
    rows_read = len(source_result.problems) + len(source_result.dropped)
    source_result.check_problems(
        lambda problem: check_problem(problem, tasks, execute=params.source in ("synthetic", "jsonl"))
    )
    if isinstance(source_result, JsonlSourceResult):
        _assign_missing_splits(source_result, params.jsonl, seed)
    unique, repeated = deduplicate(source_result.problems)
    test = [problem for problem in unique if problem.split == "test"]
    training = [problem for problem in unique if problem.split != "test"]
    clean, leaked = decontaminate(training, test, params.shared_words)
    splits = {split: [problem for problem in [*clean, *test] if problem.split == split] for split in SPLITS}
    if params.source not in ("synthetic", "jsonl"):
        splits = limit_splits(splits, params.public.model_dump(), seed)
    return LoadedProblems(splits, rows_read, source_result.dropped, [*repeated, *leaked], source_result.surprises)


def raise_if_unusable(loaded: LoadedProblems, max_left_out: float, dropped_rows_path: Path) -> None:
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
            f"problems.max_left_out: {max_left_out:g} allows: mend them, or raise it ({dropped_rows_path} lists them)"
        )
    empty = [split for split in SPLITS if not loaded.splits[split]]
    if empty:
        reasons = loaded.reasons.most_common(1)
        why = "".join(f"; {count:,} left out: {reason}" for reason, count in reasons)
        raise DataError(
            f"problems: no problem in split {', '.join(empty)}{why} ({dropped_rows_path} lists them); "
            "give the source more rows or other shares (docs/own-problems.md)"
        )


def _read_source(params: ProblemsParams, seed: int, parse_call: ParseCall) -> SourceResult:
    match params.source:
        case "synthetic":
            return _generate_synthetic(params.synthetic, seed)
        case "jsonl":
            return read_jsonl_problems(Path(params.path), parse_call)
        case _:
            return read_public(params.source, Path(params.path), params.public.dev, seed)


def _generate_synthetic(source: SyntheticParams, seed: int) -> SourceResult:
    source_result = SourceResult()
    for task, generate in _SYNTHETIC_GENERATORS.items():
        counts = getattr(source, task)
        by_split: Mapping[Split, int] = {"train": counts.train, "dev": counts.dev, "test": counts.test}
        source_result.problems += generate(by_split, counts.held_out_test, seed)
    return source_result


def _assign_missing_splits(source_result: JsonlSourceResult, source: JsonlParams, seed: int) -> None:
    """Give the problems whose row named no split one each."""
    shares: dict[Split, float] = {
        "train": 1 - source.dev_share - source.test_share,
        "dev": source.dev_share,
        "test": source.test_share,
    }
    without_split = [problem for problem in source_result.problems if problem.id in source_result.without_split]
    placed = {problem.id: problem for problem in split_by_group(without_split, shares, seed)} if without_split else {}
    source_result.problems = [placed.get(problem.id, problem) for problem in source_result.problems]
