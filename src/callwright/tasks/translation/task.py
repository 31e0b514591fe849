"""The task translation: an English sentence into a first-order formula, graded by logical equivalence."""

from callwright.errors import CallError, DataError
from callwright.functions.formulas.formula import check_closed, parse_formula, predicate_arities
from callwright.functions.solvers.entailment import equivalent
from callwright.functions.toolbox import Toolbox
from callwright.records import Problem
from callwright.tasks.task import Grade, Task
from callwright.tasks.translation import functions
from callwright.tasks.translation.grounding import formula_faults

_GRADES: dict[str, Grade] = {"yes": "right", "no": "wrong", "undecided": "undecided"}


def _grade(problem: Problem, answer: str) -> Grade:
    """By logical equivalence to the annotation, `problem.answer`.

    A predicate that is not in the annotation, or that has another number of terms, is wrong.

    Raises:
        DataError: the annotation is not a formula.
    """
    try:
        expected = parse_formula(problem.answer)
        arities = predicate_arities(expected)
    except CallError as error:
        raise DataError(f"{problem.id}: the answer is not a formula: {error.message}") from None
    try:
        given = parse_formula(answer)
        check_closed(given)
        if not predicate_arities(given).items() <= arities.items():
            return "wrong"
    except CallError:
        return "wrong"
    if given == expected:
        return "right"
    try:
        return _GRADES[equivalent(given, expected)]
    except CallError:  # the solver's limits were exceeded
        return "undecided"


TRANSLATION = Task(
    name="translation",
    toolbox=Toolbox(functions.ALL),
    instructions=(
        "Translate the sentence into a formula of first-order logic, with the predicates and names of its vocabulary. "
        "Never write a formula yourself: call a function for every part, from the inside out, and use its result in "
        "the next call. When a result says what the sentence says, call answer with it."
    ),
    grade=_grade,
    grounding_faults=formula_faults,
    folder="callwright.tasks.translation",
)
