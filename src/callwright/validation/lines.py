"""Lines of chain files, checked: what can be read is executed again, judged, and summed up in a row.

Whatever is wrong with a line is found here, and its row says it: a broken line stops nothing.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from callwright.agent.text import reply_text
from callwright.errors import CallwrightError, DataError
from callwright.records import Chain, CheckedChain, Problem
from callwright.storage.jsonl import dumps, loads, read_lines
from callwright.surprises import Surprise, surprise_of
from callwright.tasks import TASKS
from callwright.tasks import load as load_tasks
from callwright.validation.executor import map_chunks
from callwright.validation.replay import check_chain

LINES_PER_CHUNK = 256  # lines that travel to a process together
MAX_LINE_BYTES = 8 * 2**20  # a chain has a few thousand; a longer line is not read
NO_FAULT = "none"  # first fault of a chain without one

_USUAL_LINE_START = re.compile(
    rb'\{"id":"[^"\\]*","problem_id":"([ !#-\[\]-~]*)"'
)  # as we write a chain, without escapes

Line = tuple[str, bytes]  # its place ("path:line") and its text


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines, and as JSON the problems that they belong to: to pickle records takes longer than to replay them."""

    lines: tuple[Line, ...]
    problems: tuple[bytes, ...]


class LineRow(NamedTuple):
    """What the quality suite sees of a line; beyond `unreadable` all is None where the line is no chain.

    Attributes:
        id: of the chain; of an unreadable line its place.
        unreadable: why the line is no chain.
        unexpected: the exception that nobody expected while the line was read, executed or judged.
        orphan: why the chain has no problem; then nothing was replayed.
        mismatch: the first thing recorded that is not what executing the calls again gives.
        longest_reply: in characters.
        first_fault: "none" without.
        can_check_grounding: whether the chain's problem has what it takes to check that an answer rests on it.
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
    """A line's row, and the checked chain as JSON, or the line unchanged if it is not a chain.

    Attributes:
        surprise: what `row.unexpected` says, with its traceback.
    """

    row: LineRow
    text: bytes
    surprise: Surprise | None = None


def check_files(
    files: Sequence[Path], problems: Mapping[str, Problem], modules: Sequence[str] = (), workers: int | None = None
) -> Iterator[CheckedLine]:
    """Replay and judge all chains of the files, in order, over all cores.

    Args:
        modules: the user's own, which every process loads (`callwright.tasks.load`).
        workers: processes; by default one per core.

    Raises:
        DataError: a file is missing, or a problem's task does not exist.
    """
    lines = (line for path in files for line in read_lines(path))
    for checked in map_chunks(check_chunk, _chunks(lines, problems), load_tasks, (list(modules),), workers):
        yield from checked


def check_chunk(chunk: Chunk) -> list[CheckedLine]:
    """Every line of a chunk, checked."""
    problems = {problem.id: problem for problem in (loads(Problem, text, "a problem") for text in chunk.problems)}
    return [_check_any_line(where, text, problems) for where, text in chunk.lines]


def _chunks(lines: Iterable[Line], problems: Mapping[str, Problem]) -> Iterator[Chunk]:
    written = _ProblemsAsJson(problems)
    lines = iter(lines)
    while own := tuple(islice(lines, LINES_PER_CHUNK)):
        asked = dict.fromkeys(_problem_id(text) for _, text in own)
        yield Chunk(own, tuple(written[one] for one in asked if one in problems))


class _ProblemsAsJson(dict[str, bytes]):
    """Problems as JSON, written when they are first asked for: chains of one problem may stand far apart."""

    def __init__(self, problems: Mapping[str, Problem]) -> None:
        super().__init__()
        self._problems = problems

    def __missing__(self, name: str) -> bytes:
        return self.setdefault(name, dumps(self._problems[name]))


@dataclass(frozen=True, slots=True)
class _ProblemReference:
    """The one field of a chain that decides which problem travels with it."""

    problem_id: str


def _problem_id(text: bytes) -> str:
    """Read alone, since a line is read whole where it is checked; empty where there is none."""
    if len(text) > MAX_LINE_BYTES:
        return ""
    usual = _USUAL_LINE_START.match(text)
    if usual:
        return usual[1].decode()
    try:
        return loads(_ProblemReference, text, "a chain").problem_id
    except DataError:
        return ""


def _check_any_line(where: str, text: bytes, problems: Mapping[str, Problem]) -> CheckedLine:
    """A line's row. No content of a line stops the others, but a mistake that the user can fix stops the stage."""
    try:
        return _check_line(where, text, problems)
    except CallwrightError:
        raise
    except Exception as error:  # counted and named: the stage prints how many there were, and where
        surprise = surprise_of(error)
        return CheckedLine(LineRow(where, where, unexpected=str(surprise)), text, surprise)


def _check_line(where: str, text: bytes, problems: Mapping[str, Problem]) -> CheckedLine:
    try:
        chain = _read_chain(text, where)
    except DataError as error:
        reason = str(error).removeprefix(f"{where}: ")
        return CheckedLine(LineRow(where, where, unreadable=reason), text)
    problem = problems.get(chain.problem_id)
    if problem is None:
        row = LineRow(where, chain.id, orphan=f"there is no problem {chain.problem_id}", **_recorded_fields(chain))
        return CheckedLine(row, text)
    record = check_chain(chain, problem)
    return CheckedLine(_row(where, record, problem), dumps(record))


def _read_chain(text: bytes, where: str) -> Chain:
    if len(text) > MAX_LINE_BYTES:
        raise DataError(f"{where}: the line is longer than {MAX_LINE_BYTES:,} bytes")
    if b"NaN" in text or b"Infinity" in text:  # pydantic takes them for numbers, and would write null in their place
        try:
            json.loads(text, parse_constant=_raise_not_json)
        except _NotJsonError as error:
            raise DataError(f"{where}: {error} is not a JSON value") from None
        except (ValueError, RecursionError):
            pass  # broken in another way, which `loads` names
    return loads(Chain, text, where)


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


def _row(where: str, record: CheckedChain, problem: Problem) -> LineRow:
    faults = record.verdict.faults
    mismatches = (f"step {fault.step + 1}: {fault.message}" for fault in faults if fault.fault == "replay_mismatch")
    return LineRow(
        where,
        record.chain.id,
        mismatch=next(mismatches, None),
        task=problem.task,
        split=problem.split,
        correct=record.verdict.correct,
        first_fault=faults[0].fault if faults else NO_FAULT,
        can_check_grounding=TASKS[problem.task].can_check_grounding(problem),
        **_recorded_fields(record.chain),
    )
