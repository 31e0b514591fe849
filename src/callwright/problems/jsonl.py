"""The user's own problems: one JSON object a line, or one list of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from callwright.errors import CallError, DataError, RowError
from callwright.functions.toolbox import ANSWER
from callwright.problems.labels import read_label
from callwright.problems.row_fields import MALFORMED_JSON, check_name, check_text, select_fields, to_json_value
from callwright.problems.row_files import Row, read_rows
from callwright.problems.source import SourceResult
from callwright.records import SPLITS, Call, Json, Problem, Split

SOURCE = "jsonl"
DEFAULT_TASK = "arithmetic"
DEFAULT_SPLIT: Split = "train"  # of a row that names none, until the caller splits those rows
FIELDS = ("id", "task", "question", "answer", "solution", "group", "split")
MAX_SOLUTION_CALLS = 200  # of a solution

ParseCall = Callable[[str], Call | CallError]


@dataclass(slots=True)
class JsonlSourceResult(SourceResult):
    """`unsplit`: ids of the problems whose row named no split."""

    without_split: set[str] = field(default_factory=set)


def read_jsonl_problems(path: Path, parse_call: ParseCall | None = None) -> JsonlSourceResult:
    """Problems of a file with one JSON object a line, or with one JSON list of such objects.

    A row has `question` and `answer` (text or a number), and may have `id` (else `<file stem>/<0-based line>`), `task`
    (else DEFAULT_TASK), `group` (else the id), `split` (else DEFAULT_SPLIT) and `solution`: a list of calls, each
    `{"name": ..., "arguments": {...}}` or text such as "add(a=2, b=3)"; the last one is `answer`. Other fields are
    ignored, whatever they hold; blank lines are skipped. Rows that cannot be used are left out with their reason.
    Whether the task exists and the solution executes is checked by `check.py`.

    Args:
        parse_call: reads a call written as text; without it a row with such a call is left out.

    Raises:
        DataError: the file cannot be read, or has no row that is JSON.
    """
    source_result = JsonlSourceResult()
    seen: set[str] = set()
    for row in read_rows(path, "put your problems there, or fix problems.path in params.yaml"):
        problem = source_result.add(
            row.where, partial(_read_problem, row, f"{path.stem}/{row.number}", parse_call, seen)
        )
        if problem is None:
            continue
        seen.add(problem.id)
        if row.content().get("split") in (None, ""):
            source_result.without_split.add(problem.id)
    if all(row.reason == MALFORMED_JSON for row in source_result.dropped) and not source_result.problems:
        why = f" ({source_result.dropped[0]})" if source_result.dropped else ""
        raise DataError(f"{path}: no problems in it{why}; put one JSON object with question and answer on each line")
    return source_result


def _read_problem(row: Row, default_id: str, parse_call: ParseCall | None, seen: set[str]) -> Problem:
    fields = select_fields(row.content(), FIELDS)
    problem_id = check_name(_text_or_number(fields, "id", default_id), "id")
    if problem_id in seen:
        raise RowError("id is used twice", problem_id)
    task = check_name(_text_or_number(fields, "task", DEFAULT_TASK), "task")
    split = _text_or_number(fields, "split", DEFAULT_SPLIT)
    if split not in SPLITS:
        raise RowError(f"split is not one of {', '.join(SPLITS)}", repr(split[:40]))
    return Problem(
        id=problem_id,
        task=task,
        question=check_text(_text_or_number(fields, "question"), "question"),
        answer=read_label(fields.get("answer"), task),
        solution=_solution(fields.get("solution"), parse_call),
        source=SOURCE,
        group=check_name(_text_or_number(fields, "group", problem_id), "group"),
        split=split,
    )


def _text_or_number(fields: dict[str, Json], name: str, default: str | None = None) -> str:
    """A field as text; a number is taken as it is written."""
    value = fields.get(name)
    if value is None or value == "":
        if default is None:
            raise RowError(f"{name} is missing")
        return default
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RowError(f"{name} is not text")
    text = str(value).strip()
    if not text:
        raise RowError(f"{name} is missing")
    return text


def _solution(calls: Any, parse_call: ParseCall | None) -> tuple[Call, ...]:
    if calls is None:
        return ()
    if not isinstance(calls, list):
        raise RowError("solution is not a list")
    if len(calls) > MAX_SOLUTION_CALLS:
        raise RowError(f"solution has more than {MAX_SOLUTION_CALLS} calls")
    chain = tuple(_call(call, parse_call) for call in calls)
    if chain and chain[-1].name != ANSWER:
        raise RowError(f"solution does not end with {ANSWER}")
    return chain


def _call(call: Any, parse_call: ParseCall | None) -> Call:
    match call:
        case str() if parse_call is not None:
            parsed = parse_call(check_text(call, "solution"))
            if isinstance(parsed, CallError):
                raise RowError("solution has a call that cannot be read", parsed.message)
            return parsed
        case {"name": str(name), "arguments": dict(arguments), **others} if not others:
            return Call(check_name(name, "solution"), to_json_value(arguments, "solution"))
        case _:
            raise RowError("solution has something that is not a call")
