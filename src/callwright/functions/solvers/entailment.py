"""What follows from what: first-order entailment and equivalence, decided by Z3 in the worker process.

First-order logic is undecidable: a question may stay open after the granted work. That is said ("undecided"), and it
is the same every time, since the work is counted and not timed. Far above that lie the worker's limits, which do depend
on the machine: what ends there raises, and is not remembered.
"""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, cast

from callwright.functions.formulas.checks import check_closed, check_solver_input
from callwright.functions.formulas.nodes import Atom, Constant, Exists, ForAll, Formula, Not, Term, Variable
from callwright.functions.solvers.worker import run_in_worker

CACHE_SIZE = 4_096  # outcomes that a process keeps: chains of one problem, and problems of one build, ask the same

Entailment: TypeAlias = Literal["True", "False", "Unknown", "undecided"]
Equivalence: TypeAlias = Literal["yes", "no", "undecided"]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Premises that cannot be true together: those up to `premise` (0-based) contradict each other.

    It is the first such premise, unless the counted work did not last to find it.
    """

    premise: int


def entails(premises: Sequence[Formula], statement: Formula) -> Entailment | Contradiction:
    """Whether a statement is true ("True") or false ("False") wherever all premises hold, or neither ("Unknown").

    Raises:
        CallError: bad_arguments: a variable is free, or a predicate takes two numbers of terms; execution_error: the
            formulas are too large (`check_solver_input`), or the worker's limits were exceeded (LIMIT_REACHED).
    """
    return _entails(_encode_question(*premises, statement))


def equivalent(left: Formula, right: Formula) -> Equivalence:
    """Whether two formulas say the same, their predicates and constants taken by name.

    Raises:
        CallError: as `entails` does.
    """
    return _equivalent(_encode_question(left, right))


@lru_cache(maxsize=CACHE_SIZE)
def _entails(question: bytes) -> Entailment | Contradiction:
    result = run_in_worker("callwright.functions.solvers.z3_solver:entails", question)
    return Contradiction(result) if isinstance(result, int) else cast(Entailment, result)


@lru_cache(maxsize=CACHE_SIZE)
def _equivalent(question: bytes) -> Equivalence:
    return cast(Equivalence, run_in_worker("callwright.functions.solvers.z3_solver:equivalent", question))


def _encode_question(*formulas: Formula) -> bytes:
    """Formulas, pickled for the worker and as a cache key; this takes a tenth of the objects' memory.

    Raises:
        CallError: as `entails` does, before the worker is asked.
    """
    return pickle.dumps(_with_canonical_names(*formulas))


def _with_canonical_names(*formulas: Formula) -> list[Formula]:
    """The formulas with plain names in order of appearance: what follows does not depend on what things are called.

    So problems of one build share one outcome, and a name cannot sway the solver.

    Raises:
        CallError: as `entails` does, before the worker is asked.
    """
    check_solver_input(*formulas)
    for formula in formulas:
        check_closed(formula)
    predicates: dict[str, str] = {}
    constants: dict[str, Constant] = {}

    def term(original: Term, variables: dict[str, Variable]) -> Term:
        if isinstance(original, Variable):
            return variables[original.name]
        return constants.setdefault(original.name, Constant(f"c{len(constants)}"))

    def rename(formula: Formula, variables: dict[str, Variable], depth: int) -> Formula:
        match formula:
            case Atom(predicate, terms):
                name = predicates.setdefault(predicate, f"P{len(predicates)}")
                return Atom(name, tuple(term(original, variables) for original in terms))
            case Not(body):
                return Not(rename(body, variables, depth))
            case ForAll(variable, body) | Exists(variable, body):
                new = Variable(f"{'uvwxyz'[depth // 10]}{depth % 10}")  # MAX_DEPTH variables are enough
                return type(formula)(new, rename(body, {**variables, variable.name: new}, depth + 1))
            case _:
                return type(formula)(rename(formula.left, variables, depth), rename(formula.right, variables, depth))

    return [rename(formula, {}, 0) for formula in formulas]
