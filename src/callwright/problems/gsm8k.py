"""Read GSM8K: grade-school word problems, with written solutions that have calculation annotations."""

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import ClassVar

from callwright.errors import CallError, RowError
from callwright.functions.numbers import format_number
from callwright.problems.gsm8k_equations import EquationError, find_equations
from callwright.problems.gsm8k_worksheet import TOOLBOX, Worksheet
from callwright.problems.public import PublicSet
from callwright.problems.row_fields import required_text, select_fields
from callwright.problems.row_files import Row, read_rows
from callwright.problems.source import SourceResult
from callwright.records import Call, Problem, Split
from callwright.tasks.arithmetic.labels import read_plain_number

SOURCE = "gsm8k"
TASK = "arithmetic"
MAX_EQUATIONS = 500  # in one written solution
_FINAL_ANSWER_MARKER = "####"


class Gsm8k(PublicSet):
    """GSM8K from the files of its repository."""

    name = SOURCE
    description = "GSM8K: grade-school word problems (task `arithmetic`)"
    files: ClassVar[Mapping[Split, str]] = {"train": "train.jsonl", "test": "test.jsonl"}

    def read_file(self, path: Path, split: Split, result: SourceResult) -> None:
        read_gsm8k(path, split, result)


def read_gsm8k(path: Path, split: Split, result: SourceResult | None = None) -> SourceResult:
    """Read the problems of a GSM8K file, each with an executed gold chain that ends with the annotated answer.

    Args:
        path: JSON Lines with `question` and `answer`: prose with annotations `<<16-3-4=9>>`, then `#### 18`.
        split: the split of all rows; every problem is its own group.
        result: what the problems are added to; by default a new one, without further checks.

    Returns:
        Problems with ids `gsm8k/<file stem>/<0-based line>`. Rows whose equations do not lead to the answer are dropped
        with a reason.

    Raises:
        DataError: the file cannot be read.

    Source: Cobbe et al., 2021, arXiv 2110.14168; the files of github.com/openai/grade-school-math.
    """
    source_result = SourceResult() if result is None else result
    file_stem = "test" if split == "test" else "train"  # dev is taken from train
    advice = (
        f"download {file_stem}.jsonl from the openai/grade-school-math repository, or fix problems.path in params.yaml"
    )
    for row in read_rows(path, advice):
        source_result.add(row.where, partial(_read_row, row, f"{SOURCE}/{path.stem}/{row.number}", split))
    return source_result


def _read_row(row: Row, problem_id: str, split: Split) -> Problem:
    fields = select_fields(row.value_or_raise(), ("question", "answer"))
    question, answer = required_text(fields, "question"), required_text(fields, "answer")
    prose, marker, answer_text = answer.rpartition(_FINAL_ANSWER_MARKER)
    if not marker:
        raise RowError("answer is missing")
    goal = read_plain_number(answer_text)
    return Problem(
        id=problem_id,
        task=TASK,
        question=question,
        answer=format_number(goal),
        solution=gold_chain(prose, goal),
        source=SOURCE,
        group=problem_id,
        split=split,
    )


def gold_chain(prose: str, goal: Fraction) -> tuple[Call, ...]:
    """Convert a written solution to the calls that reach the goal; the last call is `answer`.

    Args:
        prose: the solution, with or without calculation annotations.
        goal: the annotated answer.

    Raises:
        EquationError: the equations do not lead to the goal; the message is a short reason that can be counted.

    >>> [call.name for call in gold_chain("Half of it is 48/2 = <<48/2=24>>24, so <<48+24=72>>72.", Fraction(72))]
    ['divide', 'add', 'answer']
    """
    worksheet = Worksheet()
    first_error: EquationError | None = None
    for number, equation in enumerate(find_equations(prose)):
        if number >= MAX_EQUATIONS:
            raise EquationError(f"more than {MAX_EQUATIONS} equations")
        try:
            worksheet.execute_equation(equation)
        except EquationError as error:
            if equation.from_annotation:
                first_error = first_error or error
    try:
        chain = worksheet.chain(goal)
    except EquationError as error:
        raise first_error or error from None
    if not _executes_to_goal(chain, goal):
        raise EquationError("the chain does not execute to the answer")
    return chain


def _executes_to_goal(chain: tuple[Call, ...], goal: Fraction) -> bool:
    """Whether every call executes, `answer` returns the goal, and an earlier call returned it too."""
    toolbox = TOOLBOX.open()
    observations = [toolbox.execute(call) for call in chain]
    values = [None if isinstance(observation, CallError) else observation.value for observation in observations]
    return None not in values and values[-1] == goal and goal in values[:-1]
