"""Functions that reason from assumed formulas. Each chain has its own assumptions."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator

from callwright.functions.formulas.formula import (
    Formula,
    FormulaArgument,
    check_closed,
    check_solver_input,
    format_formula,
)
from callwright.functions.function import strict_function
from callwright.functions.guard import LIMIT_REACHED, MAX_ASSUMPTIONS
from callwright.functions.numbers import execution_error
from callwright.functions.solvers.entailment import Contradiction
from callwright.functions.solvers.entailment import entails as decide
from callwright.functions.toolbox import Toolbox

TruthValue = Literal["True", "False", "Unknown"]


def read_truth_value(value: Any) -> Any:
    """Read a truth value as people, models and data sets write it; return any other value unchanged.

    >>> read_truth_value(True), read_truth_value(" false"), read_truth_value("Uncertain"), read_truth_value("maybe")
    ('True', 'False', 'Unknown', 'maybe')
    """
    word = str(value).strip().rstrip(".").capitalize()
    word = "Unknown" if word == "Uncertain" else word
    return word if word in get_args(TruthValue) else value


@strict_function(example={"formula": "all x. (Cat(x) -> Kind(x))"})
def assume(state: list[Formula], formula: FormulaArgument) -> str:
    """Assume a premise, written as a formula."""
    check_closed(formula)
    check_solver_input(*state, formula)
    if len(state) >= MAX_ASSUMPTIONS:
        raise execution_error(f"{MAX_ASSUMPTIONS} formulas are assumed already, which is the limit")
    state.append(formula)
    return f"assumed ({len(state)} so far)"


@strict_function(example={"formula": "Kind(rex)"})
def entails(state: list[Formula], formula: FormulaArgument) -> str:
    """Whether the assumptions make a formula True, False or neither (Unknown)."""
    found = decide(state, formula)
    if isinstance(found, Contradiction):
        wrong = state.pop(found.premise)
        raise execution_error(
            f"the assumptions contradict each other; {format_formula(wrong)} does not go with those before it and was "
            "taken back: assume what it should say, then call entails again"
        )
    if found == "undecided":
        raise execution_error(f"{LIMIT_REACHED}: it could not be decided; try a simpler formula")
    return found


@strict_function(example={"value": "True"})
def answer(value: Annotated[TruthValue, BeforeValidator(read_truth_value)]) -> str:
    """Give the final answer and stop."""
    return value


def empty_assumptions() -> list[Formula]:
    """The state of a new chain."""
    return []


TOOLBOX = Toolbox((assume, entails, answer), new_state=empty_assumptions)
"""`assume`, `entails` and `answer`, in the order in which a prompt describes them."""
