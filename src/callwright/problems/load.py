"""From a source to the three splits: read, check, split, deduplicate and decontaminate problems."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from callwright.errors import DataError
from callwright.params import ProblemsParams
from callwright.problems.check import check_problem
from callwright.problems.decontaminate import decontaminate, drop_seen
from callwright.problems.source import DroppedRow, ParseCall, SourceInputs, SourceResult
from callwright.problems.sources import SOURCES, open_source
from callwright.problems.split import deduplicate
from callwright.records import SPLITS, Problem, Split
from callwright.reports.problems import ProblemsReport, SplitCounts
from callwright.surprises import Surprise
from callwright.tasks.parts import TaskLabels
from callwright.tasks.task import Task


@dataclass(frozen=True, slots=True)
class LoadedProblems:
    """Problems by split, and the rows that were dropped.

    Attributes:
        rows_read: problems and unusable rows of the source. FOLIO gives several problems per row, each of which counts.
        unusable: rows that are not problems; `problems.max_left_out` bounds their share.
        repeated_or_leaked: problems that repeat a question, or share words with a test question; test
            problems that the base has read.
        surprises: unexpected exceptions, each with the location of its row; the row is in `unusable`.
        notes: what users should check about labels -> number of such labels.
    """

    splits: Mapping[Split, list[Problem]]
    rows_read: int
    unusable: list[DroppedRow]
    repeated_or_leaked: list[DroppedRow]
    surprises: list[tuple[Surprise, str]]
    notes: Mapping[str, int]

    @property
    def dropped(self) -> list[DroppedRow]:
        """All dropped rows."""
        return [*self.unusable, *self.repeated_or_leaked]

    @property
    def reasons(self) -> Counter[str]:
        """The number of dropped rows for each reason."""
        return Counter(row.reason for row in self.dropped)


def load_problems(
    params: ProblemsParams,
    seed: int,
    tasks: Mapping[str, Task],
    parse_call: ParseCall,
    sources: Sequence[str] = SOURCES,
    seen_questions: Container[str] = (),
) -> LoadedProblems:
    """Load the problems of every split. Every answer was checked and every solution executed, whatever the source.

    A bad row is dropped; the others are kept.

    Args:
        parse_call: parses a call of a solution that is written as text.
        sources: the sources that `params.source` can name.
        seen_questions: what the base has read; test problems that ask one of these are dropped.

    Raises:
        ParamsError: there is no such source, a section of a source is not valid, or `problems.synthetic` lists a task
            that makes up no problems.
        DataError: the source cannot be read, or a task's part `synthetic` fails.
    """
    source = open_source(params, tasks, sources)
    source_result = SourceResult(partial(check_problem, tasks=tasks))
    source.read(SourceInputs(Path(params.path), seed, tasks, parse_call), source_result)
    rows_read = len(source_result.problems) + len(source_result.dropped)
    unique, repeated = deduplicate(source.assign_splits(source_result, seed))
    unique, seen = drop_seen(unique, seen_questions)
    test = [problem for problem in unique if problem.split == "test"]
    training = [problem for problem in unique if problem.split != "test"]
    clean, leaked = decontaminate(training, test, params.shared_words)
    splits = {split: [problem for problem in [*clean, *test] if problem.split == split] for split in SPLITS}
    used = source.limit_splits(splits, seed)
    return LoadedProblems(
        used,
        rows_read,
        source_result.dropped,
        [*repeated, *seen, *leaked],
        source_result.surprises,
        _count_notes(used, tasks),
    )


def _count_notes(splits: Mapping[Split, Sequence[Problem]], tasks: Mapping[str, Task]) -> Counter[str]:
    labels = {name: task.part("labels") or TaskLabels() for name, task in tasks.items()}
    return Counter(
        note
        for problems in splits.values()
        for problem in problems
        for ending, note in labels[problem.task].notes.items()
        if problem.answer.endswith(ending)
    )


def raise_if_unusable(loaded: LoadedProblems, max_left_out: float, dropped_rows_path: Path) -> None:
    """Raise if too many rows are unusable or a split is empty.

    Args:
        max_left_out: the largest share of the source's rows that can be unusable.
        dropped_rows_path: the file that lists the dropped rows; errors name it.

    Raises:
        DataError: more rows are unusable, or a split is empty.
    """
    unusable = len(loaded.unusable)
    if unusable > max_left_out * loaded.rows_read:
        raise DataError(
            f"{loaded.unusable[0]}; {unusable:,} of {loaded.rows_read:,} rows were left out, more than "
            f"problems.max_left_out: {max_left_out:g} allows: fix them, or raise it ({dropped_rows_path} lists them)"
        )
    empty = [split for split in SPLITS if not loaded.splits[split]]
    if empty:
        reasons = loaded.reasons.most_common(1)
        main_reason = "".join(f"; {count:,} left out: {reason}" for reason, count in reasons)
        raise DataError(
            f"no problem in split {', '.join(empty)}{main_reason} ({dropped_rows_path} lists them); "
            "give the source more rows or other shares (docs/own-problems.md)"
        )


MAX_EXAMPLES = 20  # dropped rows that the report lists
MAX_PRINTED_REASONS = 10


def report_of(loaded: LoadedProblems) -> ProblemsReport:
    """The report: the number of rows read, of rows dropped for each reason, and of problems in each split.

    The counts add up unless `problems.public` limits the splits.
    """
    return ProblemsReport(
        rows_read=loaded.rows_read,
        left_out=dict(sorted(loaded.reasons.items())),
        examples=tuple(str(row) for row in loaded.dropped[:MAX_EXAMPLES]),
        notes=dict(loaded.notes),
        splits={
            split: SplitCounts(
                problems=len(problems),
                groups=len({problem.group for problem in problems}),
                steps=dict(sorted(Counter(str(len(p.solution) - 1) for p in problems if p.solution).items())),
            )
            for split, problems in loaded.splits.items()
        },
    )


def format_report(loaded: LoadedProblems) -> list[str]:
    """The report as lines of text: the number of problems, and one line for each reason why rows were dropped."""
    counts = ", ".join(f"{len(problems):,} {split}" for split, problems in loaded.splits.items())
    lines = [f"problems: {counts}; {len(loaded.dropped):,} left out"]
    first_row_by_reason = {row.reason: row.where for row in reversed(loaded.dropped)}
    reasons = loaded.reasons.most_common()
    lines += [
        f"  {count:,} left out: {reason}; the first is {first_row_by_reason[reason]}"
        for reason, count in reasons[:MAX_PRINTED_REASONS]
    ]
    if len(reasons) > MAX_PRINTED_REASONS:
        lines.append(f"  and for {len(reasons) - MAX_PRINTED_REASONS:,} other reasons")
    return [*lines, *(f"  {count:,} {note}" for note, count in loaded.notes.items())]
