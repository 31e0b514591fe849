"""Read a user's problem file: one JSON object per line, or one JSON list of objects."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from callwright.errors import CallError, DataError, RowError
from callwright.functions.toolbox import ANSWER
from callwright.params.section import Section, Share
from callwright.problems.check import read_label
from callwright.problems.row_fields import MALFORMED_JSON, check_name, check_text, select_fields, to_json_value
from callwright.problems.row_files import Row, read_rows
from callwright.problems.source import ParseCall, Source, SourceInputs, SourceResult
from callwright.problems.split import split_by_group
from callwright.records import SPLITS, Call, Json, Problem, Split
from callwright.tasks.parts import TaskLabels
from callwright.tasks.task import Task

SOURCE = "jsonl"
DEFAULT_TASK = "arithmetic"
DEFAULT_SPLIT: Split = "train"  # of a row without a split field, until the caller splits those rows
FIELDS = ("id", "task", "question", "answer", "solution", "group", "split")
MAX_SOLUTION_CALLS = 200


class JsonlParams(Section):
    """Shares of the user's rows that have no split field."""

    dev_share: float = Share
    test_share: float = Share


class Jsonl(Source[JsonlParams]):
    """A user's own problems."""

    name = SOURCE
    description = "your own problems, of any task"
    section = "jsonl"
    params_type = JsonlParams

    @classmethod
    def entry(cls) -> str:
        return "problems.jsonl"

    @classmethod
    def describe_path(cls) -> str:
        return "your file"

    def read(self, inputs: SourceInputs, result: SourceResult) -> None:
        read_jsonl_problems(inputs.path, inputs.tasks, inputs.parse_call, result)

    def assign_splits(self, result: SourceResult, seed: int) -> Sequence[Problem]:
        """Split the problems whose row has no split field, by group."""
        shares: dict[Split, float] = {
            "train": 1 - self.params.dev_share - self.params.test_share,
            "dev": self.params.dev_share,
            "test": self.params.test_share,
        }
        without_split = [problem for problem in result.problems if problem.id in result.without_split]
        if not without_split:
            return result.problems
        with_split = {problem.id: problem for problem in split_by_group(without_split, shares, seed)}
        return [with_split.get(problem.id, problem) for problem in result.problems]


def read_jsonl_problems(
    path: Path,
    tasks: Mapping[str, Task],
    parse_call: ParseCall | None = None,
    result: SourceResult | None = None,
) -> SourceResult:
    """Read problems from a file with one JSON object per line, or with one JSON list of objects.

    A row has `question` and `answer` (text or a number). It can have `id` (default: `<file stem>/<0-based line>`),
    `task` (default: DEFAULT_TASK), `group` (default: the id), `split` (default: DEFAULT_SPLIT) and `solution`: a list
    of calls, each `{"name": ..., "arguments": {...}}` or text such as "add(a=2, b=3)"; the last one is `answer`.
    Other fields are ignored, and blank lines are skipped. Unusable rows are dropped with a reason. `check.py` checks
    whether the task exists and whether the solution executes.

    Args:
        tasks: read the answers of their rows. The answer of a row whose task does not exist stays as it is.
        parse_call: parses a call written as text; None: rows with such calls are dropped.
        result: what the problems are added to; by default a new one, without further checks.

    Returns:
        The problems; `without_split` has the ids of those whose row has no split field.

    Raises:
        DataError: the file cannot be read, or no row is JSON.
    """
    source_result = SourceResult() if result is None else result
    labels = {name: task.part("labels") or TaskLabels() for name, task in tasks.items()}
    for row in read_rows(path, "put your problems there, or fix problems.path in params.yaml"):
        make_problem = partial(_read_problem, row, f"{path.stem}/{row.number}", labels, parse_call)
        problem = source_result.add(row.where, make_problem)
        if problem is not None and row.value_or_raise().get("split") in (None, ""):
            source_result.without_split.add(problem.id)
    if all(row.reason == MALFORMED_JSON for row in source_result.dropped) and not source_result.problems:
        first_error = f" ({source_result.dropped[0]})" if source_result.dropped else ""
        raise DataError(
            f"{path}: no problems in it{first_error}; put one JSON object with question and answer on each line"
        )
    return source_result


def _read_problem(row: Row, default_id: str, labels: Mapping[str, TaskLabels], parse_call: ParseCall | None) -> Problem:
    fields = select_fields(row.value_or_raise(), FIELDS)
    problem_id = check_name(_text_or_number(fields, "id", default_id), "id")
    task = check_name(_text_or_number(fields, "task", DEFAULT_TASK), "task")
    split = _text_or_number(fields, "split", DEFAULT_SPLIT)
    if split not in SPLITS:
        raise RowError(f"split is not one of {', '.join(SPLITS)}", repr(split[:40]))
    return Problem(
        id=problem_id,
        task=task,
        question=check_text(_text_or_number(fields, "question"), "question"),
        answer=read_label(fields.get("answer"), labels.get(task, TaskLabels())),
        solution=_solution(fields.get("solution"), parse_call),
        source=SOURCE,
        group=check_name(_text_or_number(fields, "group", problem_id), "group"),
        split=split,
    )


def _text_or_number(fields: dict[str, Json], name: str, default: str | None = None) -> str:
    """A field as text; a number keeps its written form.

    Raises:
        RowError: the field has another type, or is missing and has no default.
    """
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
    """The calls of a solution; RowError if they are not a list of calls that ends with `answer`."""
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
