"""GSM8K: grade-school word problems whose solutions carry calculator marks."""

from fractions import Fraction
from functools import partial
from pathlib import Path

from callwright.errors import CallError, RowError
from callwright.functions.numbers import format_number
from callwright.problems.gsm8k_equations import EquationError, find_equations
from callwright.problems.gsm8k_worksheet import TOOLBOX, Worksheet
from callwright.problems.labels import read_plain_number
from callwright.problems.row_fields import required_text, select_fields
from callwright.problems.row_files import Row, read_rows
from callwright.problems.source import SourceResult
from callwright.records import Call, Problem, Split

SOURCE = "gsm8k"
TASK = "arithmetic"
MAX_EQUATIONS = 500  # of one written solution
_FINAL_ANSWER_MARKER = "####"


def read_gsm8k(path: Path, split: Split) -> SourceResult:
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
    source_result = SourceResult()
    file = "test" if split == "test" else "train"  # dev is taken from train
    advice = f"download {file}.jsonl from the openai/grade-school-math repository, or fix problems.path in params.yaml"
    for row in read_rows(path, advice):
        source_result.add(row.where, partial(_read_row, row, f"{SOURCE}/{path.stem}/{row.number}", split))
    return source_result


def _read_row(row: Row, problem_id: str, split: Split) -> Problem:
    fields = select_fields(row.content(), ("question", "answer"))
    question, answer = required_text(fields, "question"), required_text(fields, "answer")
    prose, mark, final = answer.rpartition(_FINAL_ANSWER_MARKER)
    if not mark:
        raise RowError("answer is missing")
    goal = read_plain_number(final)
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
    for number, equation in enumerate(find_equations(prose)):
        if number >= MAX_EQUATIONS:
            raise EquationError(f"more than {MAX_EQUATIONS} equations")
        try:
            sheet.execute_equation(equation)
        except EquationError as error:
            if equation.from_annotation:
                unread = unread or error
    try:
        chain = sheet.chain(goal)
    except EquationError as error:
        raise unread or error from None
    if not _executes_to_goal(chain, goal):
        raise EquationError("the chain does not execute to the answer")
    return chain


def _executes_to_goal(chain: tuple[Call, ...], goal: Fraction) -> bool:
    """Whether every call executes, `answer` gives the goal, and an earlier call had returned it."""
    toolbox = TOOLBOX.open()
    observations = [toolbox.execute(call) for call in chain]
    values = [None if isinstance(observation, CallError) else observation.value for observation in observations]
    return None not in values and values[-1] == goal and goal in values[:-1]
