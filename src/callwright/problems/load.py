"""From the sources to the three splits: read, check, split, deduplicate, decontaminate and mix problems."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from callwright.errors import DataError
from callwright.params import ProblemsParams
from callwright.problems.check import check_problem
from callwright.problems.decontaminate import decontaminate, drop_seen
from callwright.problems.mix import UsedNames, mix_splits
from callwright.problems.source import AnySource, DroppedRow, ParseCall, SourceInputs, SourceResult
from callwright.problems.sources import SOURCES, open_sources
from callwright.problems.split import deduplicate
from callwright.records import SPLITS, Problem, Split
from callwright.reports.problems import ProblemsReport, SourceCounts, SplitCounts
from callwright.surprises import Surprise
from callwright.tasks.parts import TaskLabels
from callwright.tasks.task import Task


@dataclass(frozen=True, slots=True)
class LoadedSource:
    """What one source gave.

    Attributes:
        rows_read: problems and unusable rows. FOLIO gives several problems per row, each of which counts.
        unusable: rows that are not problems; `problems.max_left_out` bounds their share.
        used: number of problems in each split.
        unused: train problems beyond the source's share of the mix.
    """

    rows_read: int
    unusable: Sequence[DroppedRow]
    used: Mapping[Split, int]
    unused: int


@dataclass(frozen=True, slots=True)
class LoadedProblems:
    """Problems by split, and the rows that were dropped.

    Attributes:
        sources: what each source gave, by its name.
        repeated_or_leaked: problems that repeat a question, or share words with a test question, of any source; test
            problems that the base has read.
        surprises: unexpected exceptions, each with the location of its row; the row is in `unusable`.
        notes: what users should check about labels -> number of such labels.
    """

    splits: Mapping[Split, list[Problem]]
    sources: Mapping[str, LoadedSource]
    repeated_or_leaked: list[DroppedRow]
    surprises: list[tuple[Surprise, str]]
    notes: Mapping[str, int]

    @property
    def rows_read(self) -> int:
        """Problems and unusable rows of all sources."""
        return sum(source.rows_read for source in self.sources.values())

    @property
    def unusable(self) -> list[DroppedRow]:
        """Rows of all sources that are not problems."""
        return [row for source in self.sources.values() for row in source.unusable]

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
        sources: the sources that `params.source` and `params.mix` can name.
        seen_questions: what the base has read; test problems that ask one of these are dropped.

    Raises:
        ParamsError: there is no such source, a section of a source is not valid, or `problems.synthetic` lists a task
            that makes up no problems.
        DataError: a source cannot be read, or a task's part `synthetic` fails.
    """
    opened = open_sources(params, tasks, sources)
    results = _read_sources(opened, params, seed, tasks, parse_call)
    source_of = {problem.id: name for name, result in results.items() for problem in result.problems}
    split = [problem for name, source in opened.items() for problem in source.assign_splits(results[name], seed)]
    unique, repeated = deduplicate(split)
    unique, seen = drop_seen(unique, seen_questions)
    test = [problem for problem in unique if problem.split == "test"]
    training = [problem for problem in unique if problem.split != "test"]
    clean, leaked = decontaminate(training, test, params.shared_words)
    kept: dict[str, dict[Split, list[Problem]]] = {name: {split: [] for split in SPLITS} for name in opened}
    for problem in [*clean, *test]:
        kept[source_of[problem.id]][problem.split].append(problem)
    limited = {name: source.limit_splits(kept[name], seed) for name, source in opened.items()}
    used = mix_splits(limited, params.shares, seed)
    counts = Counter((source_of[problem.id], split) for split in SPLITS for problem in used[split])
    return LoadedProblems(
        used,
        {
            name: LoadedSource(
                rows_read=len(result.problems) + len(result.dropped),
                unusable=result.dropped,
                used={split: counts[name, split] for split in SPLITS},
                unused=len(limited[name]["train"]) - counts[name, "train"],
            )
            for name, result in results.items()
        },
        [*repeated, *seen, *leaked],
        [surprise for result in results.values() for surprise in result.surprises],
        _count_notes(used, tasks),
    )


def _read_sources(
    opened: Mapping[str, AnySource], params: ProblemsParams, seed: int, tasks: Mapping[str, Task], parse_call: ParseCall
) -> dict[str, SourceResult]:
    """What each source gives; no id and no group occurs in two of them."""
    used_names, results = UsedNames(), dict[str, SourceResult]()
    for name, source in opened.items():

        def check(problem: Problem, name: str = name) -> Problem:
            return used_names.check(check_problem(problem, tasks), name)

        path = Path(params.path, source.entry()) if params.mix else Path(params.path)
        results[name] = SourceResult(check)
        source.read(SourceInputs(path, seed, tasks, parse_call), results[name])
        used_names.add(results[name].problems)
    return results


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
    """Raise if too many rows of a source are unusable, a source of a mix has no train problem, or a split is empty.

    Args:
        max_left_out: the largest share of a source's rows that can be unusable.
        dropped_rows_path: the file that lists the dropped rows; errors name it.

    Raises:
        DataError: more rows are unusable, a source of a mix has no train problem, or a split is empty.
    """
    for source in loaded.sources.values():
        unusable = len(source.unusable)
        if unusable > max_left_out * source.rows_read:
            raise DataError(
                f"{source.unusable[0]}; {unusable:,} of {source.rows_read:,} rows were left out, more than "
                f"problems.max_left_out: {max_left_out:g} allows: fix them, or raise it "
                f"({dropped_rows_path} lists them)"
            )
    reasons = loaded.reasons.most_common(1)
    main_reason = "".join(f"; {count:,} left out: {reason}" for reason, count in reasons)
    without_train = [name for name, source in loaded.sources.items() if not source.used["train"] + source.unused]
    if without_train and len(loaded.sources) > 1:
        raise DataError(
            f"problems.mix: no train problem from {', '.join(without_train)}{main_reason} ({dropped_rows_path} lists "
            "what was left out); give the source some, or take it out of the mix (docs/own-problems.md)"
        )
    empty = [split for split in SPLITS if not loaded.splits[split]]
    if empty:
        raise DataError(
            f"no problem in split {', '.join(empty)}{main_reason} ({dropped_rows_path} lists them); "
            "give the source more rows or other shares (docs/own-problems.md)"
        )


MAX_EXAMPLES = 20  # dropped rows that the report lists
MAX_PRINTED_REASONS = 10


def report_of(loaded: LoadedProblems) -> ProblemsReport:
    """The report: the number of rows read, of rows dropped for each reason, and of problems in each split.

    The counts add up unless `problems.public` limits the splits; `unused` counts what `problems.mix` leaves unused.
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
        sources={
            name: SourceCounts(
                rows_read=source.rows_read,
                unusable=len(source.unusable),
                problems=dict(source.used),
                unused=source.unused,
            )
            for name, source in loaded.sources.items()
        },
    )


def format_report(loaded: LoadedProblems) -> list[str]:
    """The report as lines of text: the number of problems, one line for each source of a mix, and one for each reason
    why rows were dropped."""
    counts = ", ".join(f"{len(problems):,} {split}" for split, problems in loaded.splits.items())
    lines = [f"problems: {counts}; {len(loaded.dropped):,} left out"]
    if len(loaded.sources) > 1:
        lines += [f"  {_source_line(name, source, loaded)}" for name, source in loaded.sources.items()]
    first_row_by_reason = {row.reason: row.where for row in reversed(loaded.dropped)}
    reasons = loaded.reasons.most_common()
    lines += [
        f"  {count:,} left out: {reason}; the first is {first_row_by_reason[reason]}"
        for reason, count in reasons[:MAX_PRINTED_REASONS]
    ]
    if len(reasons) > MAX_PRINTED_REASONS:
        lines.append(f"  and for {len(reasons) - MAX_PRINTED_REASONS:,} other reasons")
    return [*lines, *(f"  {count:,} {note}" for note, count in loaded.notes.items())]


def _source_line(name: str, source: LoadedSource, loaded: LoadedProblems) -> str:
    """What a source gives to the mix, what limits its share, and which splits have none of its problems."""
    line = f"{name}: " + ", ".join(f"{count:,} {split}" for split, count in source.used.items() if count)
    if source.unused:
        line += f"; {source.unused:,} train unused beyond its share"
    elif any(other.unused for other in loaded.sources.values()):
        line += "; all its train problems, which limits the mix"
    missing = [split for split, count in source.used.items() if not count]
    return f"{line}; none in {', '.join(missing)}" if missing else line
