"""The task arithmetic: word problems whose answer is a number, graded by exact value."""

from callwright.functions.numbers import read_number
from callwright.functions.toolbox import Toolbox
from callwright.records import Problem
from callwright.tasks.arithmetic import functions
from callwright.tasks.arithmetic.grounding import has_numbers, number_faults
from callwright.tasks.task import Grade, Task


def _grade(problem: Problem, answer: str) -> Grade:
    """By value. A label in percent does not say whether 25 or 0.25 was asked for, so both are right for 25%."""
    try:
        given, expected = read_number(answer), read_number(problem.answer)
    except ValueError:
        return "wrong"
    in_percent = problem.answer.endswith("%")
    return "right" if given == expected or (in_percent and given == 100 * expected) else "wrong"


ARITHMETIC = Task(
    name="arithmetic",
    toolbox=Toolbox(functions.ALL),
    instructions=(
        "Solve the word problem step by step. Never calculate yourself: call a function for every calculation "
        "and use its result in the next call. When a result answers the question, call answer with it."
    ),
    grade=_grade,
    grounding_faults=number_faults,
    can_check_grounding=has_numbers,
    folder="callwright.tasks.arithmetic",
)
