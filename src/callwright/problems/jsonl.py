"""The user's own problems: one JSON object a line."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from callwright.errors import CallError, DataError
from callwright.functions.numbers import format_number, read_number
from callwright.functions.toolbox import ANSWER
from callwright.problems.source import LeftOut, Sourced
from callwright.records import SPLITS, Call, Json, Problem, Split

SOURCE = "jsonl"
DEFAULT_TASK = "arithmetic"
DEFAULT_SPLIT: Split = "train"  # of a row that names none, until the caller splits those rows

ParseCall = Callable[[str], Call | CallError]


@dataclass(slots=True)
class SourcedJsonl(Sourced):
    """`unsplit`: ids of the problems whose row named no split."""

    unsplit: set[str] = field(default_factory=set)


class _RowError(Exception):
    """What is wrong with a line: a short, countable reason."""


def read_jsonl_problems(path: Path, max_left_out: float, parse_call: ParseCall | None = None) -> SourcedJsonl:
    """Problems of a JSON Lines file.

    A line has `question` and `answer` (text or a number), and may have `id` (else `<file stem>/<0-based line>`), `task`
    (else DEFAULT_TASK), `group` (else the id), `split` (else DEFAULT_SPLIT) and `solution`: a list of calls, each
    `{"name": ..., "arguments": {...}}` or text such as "add(a=2, b=3)"; the last one is `answer`. Other fields are
    ignored, blank lines skipped. Neither that the task exists nor that the solution executes is checked here.

    Args:
        max_left_out: the largest share of lines (0 to 1) that may be left out.
        parse_call: reads a call written as text; without it a line with such a call is left out.

    Raises:
        DataError: the file cannot be read or holds no line, or more lines than the limit are left out; names the first.
    """
    sourced = SourcedJsonl()
    seen: set[str] = set()
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines):
                if not line.strip():
                    continue
                try:
                    row = _read_object(line)
                    problem = _read_problem(row, f"{path.stem}/{number}", parse_call)
                    if problem.id in seen:
                        raise _RowError("id is used twice")
                except _RowError as error:
                    sourced.left_out.append(LeftOut(f"{path}:{number + 1}", str(error)))
                    continue
                seen.add(problem.id)
                sourced.problems.append(problem)
                if row.get("split") in (None, ""):
                    sourced.unsplit.add(problem.id)
    except OSError as error:
        complaint = (error.strerror or "cannot be read").lower()
        raise DataError(f"{path}: {complaint}; put your problems there, or fix problems.path in params.yaml") from None
    _check_left_out(path, sourced, max_left_out)
    return sourced


def _check_left_out(path: Path, sourced: Sourced, limit: float) -> None:
    left_out = len(sourced.left_out)
    total = left_out + len(sourced.problems)
    if total == 0:
        raise DataError(f"{path}: no problems in it; put one JSON object with question and answer on each line")
    if left_out > limit * total:
        first = sourced.left_out[0]
        raise DataError(
            f"{first.where}: {first.reason}; the line was left out "
            f"({left_out:,} of {total:,} lines left out, limit {limit * 100:g} %)"
        )


def _read_object(line: bytes) -> dict[str, Json]:
    try:
        row = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # includes bytes that are not UTF-8
        raise _RowError("malformed JSON") from None
    if not isinstance(row, dict):
        raise _RowError("not a JSON object")
    return row


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _read_problem(row: dict[str, Json], default_id: str, parse_call: ParseCall | None) -> Problem:
    problem_id = _text(row, "id", default_id)
    task = _text(row, "task", DEFAULT_TASK)
    split = _text(row, "split", DEFAULT_SPLIT)
    if split not in SPLITS:
        raise _RowError(f"split is not one of {', '.join(SPLITS)}")
    return Problem(
        id=problem_id,
        task=task,
        question=_text(row, "question"),
        answer=_answer(row, task),
        solution=_solution(row.get("solution"), parse_call),
        source=SOURCE,
        group=_text(row, "group", problem_id),
        split=split,
    )


def _text(row: dict[str, Json], name: str, default: str | None = None) -> str:
    """A field as text; a number is taken as it is written."""
    value = row.get(name)
    if value is None or value == "":
        if default is None:
            raise _RowError(f"{name} is missing")
        return default
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _RowError(f"{name} is not text")
    text = str(value).strip()
    if not text:
        raise _RowError(f"{name} is missing")
    return text


def _answer(row: dict[str, Json], task: str) -> str:
    """The answer; where the task's answers are numbers, as `format_number` writes them."""
    answer = _text(row, "answer")
    if task != DEFAULT_TASK:
        return answer
    try:
        return format_number(read_number(row["answer"]))
    except ValueError:
        raise _RowError("answer is not a number") from None


def _solution(calls: Any, parse_call: ParseCall | None) -> tuple[Call, ...]:
    if calls is None:
        return ()
    if not isinstance(calls, list):
        raise _RowError("solution is not a list")
    chain = tuple(_call(call, parse_call) for call in calls)
    if chain and chain[-1].name != ANSWER:
        raise _RowError(f"solution does not end with {ANSWER}")
    return chain


def _call(call: Any, parse_call: ParseCall | None) -> Call:
    match call:
        case str() if parse_call is not None:
            parsed = parse_call(call)
            if isinstance(parsed, CallError):
                raise _RowError("solution has a call that cannot be read")
            return parsed
        case {"name": str(name), "arguments": dict(arguments), **others} if not others:
            return Call(name, arguments)
        case _:
            raise _RowError("solution has something that is not a call")
