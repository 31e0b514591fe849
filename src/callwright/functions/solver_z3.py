"""Z3's side of `solver.py`. Runs in the worker process alone; nothing else imports it.

There is one sort of things, and it is not empty; predicates and constants are declared by name, and two names may
stand for the same thing. Every question gets a context of its own and a fixed amount of work, so that its outcome
depends on nothing but its formulas.
"""

from bisect import bisect_left
from collections.abc import Sequence

import z3

from callwright.functions.formula_parts import (
    And,
    Atom,
    Exists,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    Term,
    Xor,
)
from callwright.functions.worker import in_worker

WORK = 400_000  # Z3's resource units granted to one check: about 0.1 s of processor time
MEGABYTES = 256  # that Z3 may allocate

z3.set_param("memory_max_size", MEGABYTES)


@in_worker
def entails(premises: Sequence[Formula], statement: Formula) -> str | int:
    """True, False, Unknown or undecided; a number N: premise N (0-based) contradicts those before it."""
    question = _Question()
    given = [question.translate(premise) for premise in premises]
    claim = question.translate(statement)
    proved, refuted = question.check([*given, z3.Not(claim)]), question.check([*given, claim])
    if proved == refuted == z3.unsat:
        return bisect_left(range(len(given)), True, key=lambda last: question.check(given[: last + 1]) == z3.unsat)
    if z3.unknown in (proved, refuted):
        return "undecided"
    return "True" if proved == z3.unsat else "False" if refuted == z3.unsat else "Unknown"


@in_worker
def equivalent(left: Formula, right: Formula) -> str:
    """Yes, no or undecided."""
    question = _Question()
    found = question.check([question.translate(Xor(left, right))])
    return "yes" if found == z3.unsat else "no" if found == z3.sat else "undecided"


class _Question:
    """Formulas as Z3 sees them, in a context of their own."""

    def __init__(self) -> None:
        self._context = z3.Context()
        self._things = z3.DeclareSort("Thing", self._context)
        self._truth = z3.BoolSort(self._context)

    def check(self, formulas: Sequence[z3.BoolRef]) -> z3.CheckSatResult:
        """Whether they can be true together."""
        solver = z3.SimpleSolver(ctx=self._context)
        solver.set("rlimit", WORK)
        solver.add(*formulas)
        return solver.check()

    def translate(self, formula: Formula) -> z3.BoolRef:
        match formula:
            case Atom(predicate, terms):
                takes = z3.Function(predicate, *[self._things] * len(terms), self._truth)
                return takes(*map(self._term, terms))
            case Not(body):
                return z3.Not(self.translate(body))
            case And(left, right):
                return z3.And(self.translate(left), self.translate(right))
            case Or(left, right):
                return z3.Or(self.translate(left), self.translate(right))
            case Xor(left, right):
                return z3.Xor(self.translate(left), self.translate(right))
            case Implies(left, right):
                return z3.Implies(self.translate(left), self.translate(right))
            case Iff(left, right):
                return self.translate(left) == self.translate(right)
            case ForAll(variable, body):
                return z3.ForAll([self._term(variable)], self.translate(body))
            case Exists(variable, body):
                return z3.Exists([self._term(variable)], self.translate(body))

    def _term(self, term: Term) -> z3.ExprRef:
        return z3.Const(term.name, self._things)
