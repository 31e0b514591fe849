"""GSM8K: grade-school word problems whose solutions carry calculator marks."""

import json
from fractions import Fraction
from pathlib import Path

from callwright.errors import CallError, DataError
from callwright.functions.numbers import format_number, read_number
from callwright.problems.equations import EquationError, find_equations
from callwright.problems.source import LeftOut, Sourced
from callwright.problems.worksheet import TOOLBOX, Worksheet
from callwright.records import Call, Problem, Split

SOURCE = "gsm8k"
TASK = "arithmetic"
_ANSWER_MARK = "####"


class _RowError(Exception):
    """A row that cannot become a problem; the message is a short, countable reason."""


def read_gsm8k(path: Path, split: Split) -> Sourced:
    """Problems of a GSM8K file, each with a gold chain that was executed and ends at the annotated answer.

    Args:
        path: JSON Lines with `question` and `answer`: prose with marks `<<16-3-4=9>>`, then `#### 18`.
        split: the split that all rows get; every problem is its own group.

    Returns:
        Problems with ids `gsm8k/<file stem>/<0-based line>`. Rows whose written equations do not lead to the answer
        are left out with their reason; nothing is guessed.

    Raises:
        DataError: the file cannot be read.

    Source: Cobbe et al., 2021, arXiv 2110.14168; the files of github.com/openai/grade-school-math.
    """
    sourced = Sourced()
    try:
        with path.open("rb") as rows:
            for number, row in enumerate(rows):
                if not row.strip():
                    continue
                try:
                    sourced.problems.append(_read_row(row, f"{SOURCE}/{path.stem}/{number}", split))
                except (_RowError, EquationError) as error:
                    sourced.left_out.append(LeftOut(f"{path}:{number + 1}", str(error)))
    except OSError as error:
        file = "test" if split == "test" else "train"  # dev is taken from train
        raise DataError(
            f"{path}: {(error.strerror or 'cannot be read').lower()}; download {file}.jsonl from the "
            f"openai/grade-school-math repository, or fix problems.path in params.yaml"
        ) from None
    return sourced


def _read_row(row: bytes, problem_id: str, split: Split) -> Problem:
    try:
        fields = json.loads(row)
    except (ValueError, RecursionError):
        raise _RowError("malformed JSON") from None
    if not isinstance(fields, dict):
        raise _RowError("malformed JSON")
    for name in ("question", "answer"):
        if not isinstance(fields.get(name), str) or not fields[name].strip():
            raise _RowError(f"{name} is missing")
    prose, mark, final = fields["answer"].rpartition(_ANSWER_MARK)
    if not mark:
        raise _RowError("answer is missing")
    try:
        goal = read_number(final)
    except ValueError:
        raise _RowError("answer is not a number") from None
    return Problem(
        id=problem_id,
        task=TASK,
        question=fields["question"].strip(),
        answer=format_number(goal),
        solution=gold_chain(prose, goal),
        source=SOURCE,
        group=problem_id,
        split=split,
    )


def gold_chain(prose: str, goal: Fraction) -> tuple[Call, ...]:
    """The calls that a written solution makes on its way to the goal, the last one `answer`.

    Args:
        prose: the solution, with or without calculator marks.
        goal: the annotated answer.

    Raises:
        EquationError: the written equations do not lead to the goal; the message is a short, countable reason.

    >>> [call.name for call in gold_chain("Half of it is 48/2 = <<48/2=24>>24, so <<48+24=72>>72.", Fraction(72))]
    ['divide', 'add', 'answer']
    """
    sheet = Worksheet()
    unread: EquationError | None = None
    for equation in find_equations(prose):
        try:
            sheet.work(equation)
        except EquationError as error:
            if equation.marked:
                unread = unread or error
    try:
        chain = sheet.chain(goal)
    except EquationError as error:
        raise unread or error from None
    if not _reaches(chain, goal):
        raise EquationError("the chain does not execute to the answer")
    return chain


def _reaches(chain: tuple[Call, ...], goal: Fraction) -> bool:
    """Whether every call executes, `answer` gives the goal, and an earlier call had returned it."""
    toolbox = TOOLBOX.open()
    observations = [toolbox.execute(call) for call in chain]
    values = [None if isinstance(observation, CallError) else observation.value for observation in observations]
    return None not in values and values[-1] == goal and goal in values[:-1]
