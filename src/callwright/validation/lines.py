"""Check the lines of chain files: read each chain, execute it again, judge it, and describe it in a table row.

A defect of a line is recorded in its row; it never stops the other lines.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from callwright.agent.text import reply_text
from callwright.errors import CallwrightError, DataError
from callwright.execution.map_shards import map_shards
from callwright.execution.shards import chunks_of
from callwright.progress import track
from callwright.records import Chain, CheckedChain, Problem
from callwright.storage.jsonl import dumps, loads, read_lines
from callwright.surprises import UNEXPECTED, Surprise, surprise_of
from callwright.tasks import Tasks
from callwright.tasks.task import Task
from callwright.validation.replay import check_chain

LINES_PER_SHARD = 256  # lines that a worker gets at once
MAX_LINE_BYTES = 8 * 2**20  # a chain has a few thousand bytes; a longer line is not parsed
NO_FAULT = "none"  # `first_fault` of a chain without faults

Line = tuple[str, bytes]  # its location ("path:line") and its text


@dataclass(frozen=True, slots=True)
class LineShard:
    """Lines and their problems, which are JSON because pickling records would take longer than replaying them."""

    lines: tuple[Line, ...]
    problems: tuple[bytes, ...]


class LineRow(NamedTuple):
    """The columns of a line in the quality suite. If the line is not a chain, all after `unreadable` are None.

    Attributes:
        where: the line's location, path:line.
        id: the chain's id; an unreadable line has its location as id.
        unreadable: why the line is not a chain.
        unexpected: an unexpected exception while the line was read, executed or judged.
        orphan: why the chain has no problem; such a chain is not replayed.
        mismatch: the first difference between the recorded steps and the replay.
        longest_reply: in characters.
        first_fault: "none" if there is no fault.
        can_check_grounding: whether the task can check that an answer to this problem depends on the problem.
    """

    where: str
    id: str
    unreadable: str | None = None
    unexpected: str | None = None
    orphan: str | None = None
    mismatch: str | None = None
    problem_id: str | None = None
    model: str | None = None
    protocol: str | None = None
    outcome: str | None = None
    task: str | None = None
    split: str | None = None
    answered: bool | None = None
    correct: bool | None = None
    steps: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    longest_reply: int | None = None
    first_fault: str | None = None
    can_check_grounding: bool | None = None


class CheckedLine(NamedTuple):
    """A checked line.

    Attributes:
        text: the checked chain as JSON; the line itself if it is not a chain or has no problem.
        surprise: the exception of `row.unexpected`, with its traceback.
    """

    row: LineRow
    text: bytes
    surprise: Surprise | None = None


def check_files(
    files: Sequence[Path], problems: Mapping[str, Problem], tasks: Tasks, workers: int | None = None
) -> Iterator[CheckedLine]:
    """Replay and judge all chains of the files, in order.

    Args:
        problems: problems by id.
        tasks: every worker process loads them by their modules.
        workers: number of processes; by default one per core, if they are worth their start.

    Raises:
        DataError: a file is missing, or a problem's task does not exist.
    """
    lines = (line for path in files for line in read_lines(path))
    results = map_shards(partial(check_line_shard, tasks), _shards(lines, problems), workers=workers)
    for checked in track(results, "replay", _count_lines(files), "chains", size=len):
        yield from checked


def _count_lines(files: Sequence[Path]) -> int | None:
    """About how many lines the files have, to show the progress; None if one is missing."""
    try:
        return sum(map(_newlines, files))
    except OSError:
        return None


def _newlines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(partial(file.read, 2**20), b""))


def check_line_shard(tasks: Tasks, shard: LineShard) -> list[CheckedLine]:
    """Check every line of a shard."""
    problems = {problem.id: problem for problem in (loads(Problem, text, "a problem") for text in shard.problems)}
    return [_check_any_line(location, text, problems, tasks) for location, text in shard.lines]


def _shards(lines: Iterable[Line], problems: Mapping[str, Problem]) -> Iterator[LineShard]:
    problems_json = _ProblemsAsJson(problems)
    for shard_lines in chunks_of(lines, LINES_PER_SHARD):
        problem_ids = dict.fromkeys(_problem_id(text) for _, text in shard_lines)
        yield LineShard(shard_lines, tuple(problems_json[name] for name in problem_ids if name in problems))


class _ProblemsAsJson(dict[str, bytes]):
    """Problems by id as JSON. Serialised on first use and kept, because several shards may need the same problem."""

    def __init__(self, problems: Mapping[str, Problem]) -> None:
        super().__init__()
        self._problems = problems

    def __missing__(self, name: str) -> bytes:
        return self.setdefault(name, dumps(self._problems[name]))


@dataclass(frozen=True, slots=True)
class _ProblemReference:
    """The only field of a chain that is needed to find its problem."""

    problem_id: str


def _problem_id(text: bytes) -> str:
    """The problem id of a line; empty if there is none. Reads only this field: the worker parses the whole line.

    It is read by the worker's parser, because only that parser knows which of two equal keys counts.
    """
    if len(text) > MAX_LINE_BYTES:
        return ""
    try:
        return loads(_ProblemReference, text, "a chain").problem_id
    except DataError:
        return ""


def _check_any_line(location: str, text: bytes, problems: Mapping[str, Problem], tasks: Tasks) -> CheckedLine:
    """Check a line. Unexpected errors go into its row, but a mistake that the user can fix stops the stage."""
    try:
        return _check_line(location, text, problems, tasks)
    except CallwrightError:
        raise
    except UNEXPECTED as error:  # the stage prints how many there were, and where
        surprise = surprise_of(error)
        return CheckedLine(LineRow(location, location, unexpected=str(surprise)), text, surprise)


def _check_line(location: str, text: bytes, problems: Mapping[str, Problem], tasks: Tasks) -> CheckedLine:
    try:
        chain = _read_chain(text, location)
    except DataError as error:
        reason = str(error).removeprefix(f"{location}: ")
        return CheckedLine(LineRow(location, location, unreadable=reason), text)
    problem = problems.get(chain.problem_id)
    if problem is None:
        row = LineRow(location, chain.id, orphan=f"there is no problem {chain.problem_id}", **_recorded_fields(chain))
        return CheckedLine(row, text)
    task = tasks[problem.task]
    record = check_chain(chain, problem, task)
    return CheckedLine(_row(location, record, problem, task), dumps(record))


def _read_chain(text: bytes, location: str) -> Chain:
    if len(text) > MAX_LINE_BYTES:
        raise DataError(f"{location}: the line is longer than {MAX_LINE_BYTES:,} bytes")
    if b"NaN" in text or b"Infinity" in text:  # pydantic reads them as numbers and would write null instead
        try:
            json.loads(text, parse_constant=_raise_not_json)
        except _NotJsonError as error:
            raise DataError(f"{location}: {error} is not a JSON value") from None
        except (ValueError, RecursionError):
            pass  # the line has another defect, which `loads` reports

    return loads(Chain, text, location)


class _NotJsonError(Exception):
    pass


def _raise_not_json(constant: str) -> None:
    raise _NotJsonError(constant)


def _recorded_fields(chain: Chain) -> dict[str, Any]:
    return {
        "problem_id": chain.problem_id,
        "model": chain.model,
        "protocol": chain.protocol,
        "outcome": chain.outcome,
        "answered": chain.answer is not None,
        "steps": len(chain.steps),
        "prompt_tokens": chain.usage.prompt_tokens,
        "completion_tokens": chain.usage.completion_tokens,
        "longest_reply": max((len(reply_text(step)) for step in chain.steps), default=0),
    }


def _row(location: str, record: CheckedChain, problem: Problem, task: Task) -> LineRow:
    faults = record.verdict.faults
    mismatches = (f"step {fault.step + 1}: {fault.message}" for fault in faults if fault.fault == "replay_mismatch")
    return LineRow(
        location,
        record.chain.id,
        mismatch=next(mismatches, None),
        task=problem.task,
        split=problem.split,
        correct=record.verdict.correct,
        first_fault=faults[0].fault if faults else NO_FAULT,
        can_check_grounding=task.can_check_grounding(problem),
        **_recorded_fields(record.chain),
    )
