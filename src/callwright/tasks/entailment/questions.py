"""Entailment problems: how their question is worded, and the gold chain that their formulas make."""

from collections.abc import Sequence

from callwright.errors import CallError, RowError
from callwright.functions.formulas.formula import Formula, format_formula
from callwright.functions.guard import MAX_ASSUMPTIONS
from callwright.functions.solvers.entailment import Contradiction, entails
from callwright.records import Call
from callwright.tasks.entailment.functions import TOOLBOX, TruthValue

TASK = "entailment"
MAX_PREMISES = MAX_ASSUMPTIONS  # one chain cannot assume more


class GoldChainError(RowError):
    """The formulas do not lead to the answer."""


def entailment_question(premises: Sequence[str], statement: str) -> str:
    """The one wording of all entailment problems.

    >>> entailment_question(["Rex is a cat.", "Cats are kind."], "Rex is kind.")
    'Premises: Rex is a cat. Cats are kind. Statement: Rex is kind.'
    """
    return f"Premises: {' '.join(premises)} Statement: {statement}"


def entailment_gold_chain(premises: Sequence[Formula], statement: Formula, answer: TruthValue) -> tuple[Call, ...]:
    """Assume every premise, ask about the statement, answer; executed.

    Raises:
        GoldChainError: the chain does not execute, or the solver's verdict is another.
    """
    try:
        found = entails(premises, statement)
    except CallError as error:
        raise GoldChainError("the solver refuses the formulas", error.message) from None
    if isinstance(found, Contradiction):
        raise GoldChainError("the premises contradict each other")
    if found == "undecided":
        raise GoldChainError("the solver could not decide")
    if found != answer:
        raise GoldChainError(f"the label is {answer}, the formulas say {found}")
    chain = (
        *(Call("assume", {"formula": format_formula(premise)}) for premise in premises),
        Call("entails", {"formula": format_formula(statement)}),
        Call("answer", {"value": answer}),
    )
    opened = TOOLBOX.open()
    for call in chain:
        if isinstance(refused := opened.execute(call), CallError):
            raise GoldChainError("the chain does not execute", refused.message)
    return chain
