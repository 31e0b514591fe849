"""First-order entailment and equivalence, decided by Z3 in the worker process.

First-order logic is undecidable. After a fixed amount of work the result is "undecided"; it is the same on every run,
because the work is counted and not timed. The worker's limits are much higher and depend on the machine; exceeding them
raises CallError, and such an outcome is not cached.
"""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, cast

from callwright.functions.formulas.checks import check_closed, check_solver_input
from callwright.functions.formulas.nodes import Atom, Constant, Exists, ForAll, Formula, Not, Term, Variable
from callwright.functions.solvers.worker import run_in_worker

CACHE_SIZE = 4_096  # results; chains of one problem, and problems of one template, ask the same questions

Entailment: TypeAlias = Literal["True", "False", "Unknown", "undecided"]
Equivalence: TypeAlias = Literal["yes", "no", "undecided"]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Premises that cannot be true together: those up to index `premise` contradict each other.

    It is the first premise of which this is true, unless the work budget ran out.
    """

    premise: int


def entails(premises: Sequence[Formula], statement: Formula) -> Entailment | Contradiction:
    """Decide whether premises make a statement true ("True"), false ("False") or neither ("Unknown").

    Raises:
        CallError: bad_arguments: a variable is free, or a predicate occurs with different numbers of terms;
            execution_error: the formulas are too large (`check_solver_input`), or the worker exceeded its limits
            (LIMIT_REACHED).
    """
    return _entails(_encode_question(*premises, statement))


def equivalent(left: Formula, right: Formula) -> Equivalence:
    """Decide whether two formulas are equivalent, without renaming anything.

    Raises:
        CallError: see `entails`.
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
    """Pickle formulas for the worker and as a cache key, which takes a tenth of the memory of the objects.

    Raises:
        CallError: see `entails`; the worker is not asked.
    """
    return pickle.dumps(_with_canonical_names(*formulas))


def _with_canonical_names(*formulas: Formula) -> list[Formula]:
    """Check the formulas, and rename everything in order of appearance, because entailment does not depend on names.

    Problems of one template then share a cached result, and names cannot influence the solver.

    Raises:
        CallError: see `entails`; the worker is not asked.
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
                renamed = Variable(f"{'uvwxyz'[depth // 10]}{depth % 10}")  # MAX_FORMULA_DEPTH names are enough
                return type(formula)(renamed, rename(body, {**variables, variable.name: renamed}, depth + 1))
            case _:
                return type(formula)(rename(formula.left, variables, depth), rename(formula.right, variables, depth))

    return [rename(formula, {}, 0) for formula in formulas]
