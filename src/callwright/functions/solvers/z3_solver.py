"""Z3's side of `solver.py`. Runs in the worker process alone; nothing else imports it.

Whether formulas can be true together is tried in three ways, cheapest first: Z3 for a moment, which decides nearly
all that people write; a small world (`finite_models.py`); Z3 for long. All of them spend one budget of counted work.
"""

import pickle
from bisect import bisect_left
from collections.abc import Sequence

import z3

from callwright.functions.formulas.nodes import Formula, Not, Xor
from callwright.functions.solvers.worker import in_worker
from callwright.functions.solvers.z3_question import Z3Session, has_finite_model

TOTAL_WORK = 400_000  # Z3's resource units granted to one question, see docs/logic.md
FIRST_TRY_WORK = 20_000  # units for the first try: FOLIO and ProofWriter need less than 10,000
FINITE_MODEL_WORK = 80_000  # units for the search for small worlds


@in_worker
def entails(formulas: bytes) -> str | int:
    """As `entailed`, of premises and, last, a statement; pickled by `solver.py`."""
    *premises, statement = pickle.loads(formulas)
    return decide_entailment(premises, statement)


@in_worker
def equivalent(formulas: bytes) -> str:
    """Yes, no or undecided, of two formulas; pickled by `solver.py`."""
    left, right = pickle.loads(formulas)
    result = _check_satisfiability(Z3Session(TOTAL_WORK), [Xor(left, right)], TOTAL_WORK)
    return "yes" if result == z3.unsat else "no" if result == z3.sat else "undecided"


def decide_entailment(premises: Sequence[Formula], statement: Formula) -> str | int:
    """True, False, Unknown or undecided; a number N: the premises up to N (0-based) contradict each other.

    N is the first such, if the budget lasts to find it.
    """
    question = Z3Session(TOTAL_WORK)
    with_negation = _check_satisfiability(question, [*premises, Not(statement)], TOTAL_WORK // 2)
    if with_negation == z3.unknown:
        return "undecided"
    with_statement = _check_satisfiability(question, [*premises, statement], question.left)
    if with_statement == z3.unknown:
        return "undecided"
    if with_negation == with_statement == z3.unsat:
        translated = [question.translate(premise) for premise in premises]
        lengths = range(len(translated) - 1)  # it is already known that all of them contradict each other
        return bisect_left(lengths, True, key=lambda last: _contradicts(question, translated[: last + 1]))
    return "True" if with_negation == z3.unsat else "False" if with_statement == z3.unsat else "Unknown"


def _check_satisfiability(question: Z3Session, formulas: Sequence[Formula], work: int) -> z3.CheckSatResult:
    """Whether formulas can be true together: z3.sat, z3.unsat or z3.unknown."""
    end = question.left - work
    translated = [question.translate(formula) for formula in formulas]
    result = question.check(translated, min(FIRST_TRY_WORK, work))
    if result != z3.unknown:
        return result
    if has_finite_model(question, formulas, min(FINITE_MODEL_WORK, question.left - end)):
        return z3.sat
    return question.check(translated, question.left - end)


def _contradicts(question: Z3Session, formulas: Sequence[z3.BoolRef]) -> bool:
    return bool(question.check(formulas, question.left // 2) == z3.unsat)
