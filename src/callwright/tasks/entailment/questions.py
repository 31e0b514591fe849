"""Build the question and the gold chain of an entailment problem from its sentences and formulas."""

from collections.abc import Sequence

from callwright.errors import CallError, RowError
from callwright.functions.formulas.formula import Formula, format_formula
from callwright.functions.guard import MAX_ASSUMPTIONS
from callwright.functions.solvers.entailment import Contradiction, entails
from callwright.records import Call
from callwright.tasks.entailment.functions import TruthValue

TASK = "entailment"
MAX_PREMISES = MAX_ASSUMPTIONS  # one chain cannot assume more


class GoldChainError(RowError):
    """The formulas do not lead to the problem's answer."""


def entailment_question(premises: Sequence[str], statement: str) -> str:
    """The question of an entailment problem, in the only wording.

    >>> entailment_question(["Rex is a cat.", "Cats are kind."], "Rex is kind.")
    'Premises: Rex is a cat. Cats are kind. Statement: Rex is kind.'
    """
    return f"Premises: {' '.join(premises)} Statement: {statement}"


def entailment_gold_chain(premises: Sequence[Formula], statement: Formula, answer: TruthValue) -> tuple[Call, ...]:
    """The calls that assume every premise, ask about the statement, and answer. They are not executed here.

    Raises:
        GoldChainError: the solver refuses the formulas, or does not confirm the answer.
    """
    try:
        solver_answer = entails(premises, statement)
    except CallError as error:
        raise GoldChainError("the solver refuses the formulas", error.message) from None
    if isinstance(solver_answer, Contradiction):
        raise GoldChainError("the premises contradict each other")
    if solver_answer == "undecided":
        raise GoldChainError("the solver could not decide")
    if solver_answer != answer:
        raise GoldChainError(f"the label is {answer}, the formulas say {solver_answer}")
    return assume_and_ask([format_formula(premise) for premise in premises], format_formula(statement), answer)


def assume_and_ask(premises: Sequence[str], statement: str, answer: TruthValue) -> tuple[Call, ...]:
    """The calls of a gold chain whose formulas are known to lead to the answer."""
    return (
        *(Call("assume", {"formula": premise}) for premise in premises),
        Call("entails", {"formula": statement}),
        Call("answer", {"value": answer}),
    )
