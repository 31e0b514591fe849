"""What follows from what: first-order entailment and equivalence, decided by Z3 in the worker process.

First-order logic is undecidable: a question may stay open after the granted work. That is said ("undecided"), and it
is the same every time, since the work is counted and not timed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, cast

from callwright.functions.formula_parts import (
    Atom,
    Constant,
    Exists,
    ForAll,
    Formula,
    Not,
    Term,
    check_closed,
    check_signature,
)
from callwright.functions.worker import run_in_worker

REMEMBERED = 4_096  # outcomes that a process keeps: chains of one problem, and problems of one build, ask the same

Entailment: TypeAlias = Literal["True", "False", "Unknown", "undecided"]
Equivalence: TypeAlias = Literal["yes", "no", "undecided"]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Premises that cannot be true together. `premise` (0-based) is the first that contradicts those before it."""

    premise: int


def entails(premises: Sequence[Formula], statement: Formula) -> Entailment | Contradiction:
    """Whether a statement is true ("True") or false ("False") wherever all premises hold, or neither ("Unknown").

    Raises:
        CallError: bad_arguments: a variable is free, or a predicate takes two numbers of terms; execution_error: the
            worker's limits were exceeded.
    """
    *given, asked = _renamed(*premises, statement)
    return _entails(tuple(given), asked)


def equivalent(left: Formula, right: Formula) -> Equivalence:
    """Whether two formulas say the same, their predicates and constants taken by name.

    Raises:
        CallError: as `entails` does.
    """
    return _equivalent(*_renamed(left, right))


@lru_cache(maxsize=REMEMBERED)
def _entails(premises: tuple[Formula, ...], statement: Formula) -> Entailment | Contradiction:
    found = run_in_worker("callwright.functions.solver_z3:entails", premises, statement)
    return Contradiction(found) if isinstance(found, int) else cast(Entailment, found)


@lru_cache(maxsize=REMEMBERED)
def _equivalent(left: Formula, right: Formula) -> Equivalence:
    return cast(Equivalence, run_in_worker("callwright.functions.solver_z3:equivalent", left, right))


def _renamed(*formulas: Formula) -> list[Formula]:
    """The formulas with plain names in order of appearance: what follows does not depend on what things are called.

    So problems of one build share one outcome, and a name cannot sway the solver.

    Raises:
        CallError: bad_arguments: a variable is free, or a predicate takes two numbers of terms.
    """
    check_signature(*formulas)
    for formula in formulas:
        check_closed(formula)
    predicates: dict[str, str] = {}
    constants: dict[str, Constant] = {}

    def term(old: Term) -> Term:
        return constants.setdefault(old.name, Constant(f"c{len(constants)}")) if isinstance(old, Constant) else old

    def rename(formula: Formula) -> Formula:
        match formula:
            case Atom(predicate, terms):
                return Atom(predicates.setdefault(predicate, f"P{len(predicates)}"), tuple(map(term, terms)))
            case Not(body):
                return Not(rename(body))
            case ForAll(variable, body) | Exists(variable, body):
                return type(formula)(variable, rename(body))
            case _:
                return type(formula)(rename(formula.left), rename(formula.right))

    return [rename(formula) for formula in formulas]
