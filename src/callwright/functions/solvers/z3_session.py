"""A Z3 context with a work budget that all its checks share. Runs only in the worker process.

Z3 counts its work in resource units. Equal runs use equal numbers of units on every machine, busy or not, so a result
depends on the formulas alone.
"""

from collections.abc import Sequence
from typing import cast

import z3

from callwright.functions.formulas.nodes import And, Atom, Exists, ForAll, Formula, Iff, Implies, Not, Or, Xor

MAX_MEMORY_MB = 256  # of Z3's memory in this process, for all contexts together

z3.set_param("memory_max_size", MAX_MEMORY_MB)


class Z3Session:
    """Formulas over one non-empty sort of things. Two constants may denote the same thing.

    Args:
        work: resource units that all checks together may spend.
    """

    def __init__(self, work: int) -> None:
        self.context = z3.Context()
        self._work = work
        self._spent = 0
        self._thing_sort = z3.DeclareSort("Thing", self.context)
        self._bool_sort = z3.BoolSort(self.context)
        self._names: dict[str, z3.ExprRef] = {}
        self._predicates: dict[str, z3.FuncDeclRef] = {}
        self._translated: dict[tuple[Formula, int | None], z3.BoolRef] = {}

    @property
    def remaining_work(self) -> int:
        """Resource units that are not spent yet."""
        return self._work - self._spent

    def check(self, formulas: Sequence[z3.BoolRef], max_work: int) -> z3.CheckSatResult:
        """Check whether formulas can be true together: z3.sat, z3.unsat, or z3.unknown if the units are used up.

        Args:
            max_work: units that this check may spend, if that many remain.

        Raises:
            MemoryError: Z3 reached its memory limit, which is per process: restart the worker.
        """
        granted = min(max_work, self.remaining_work)
        if granted <= 0:  # to Z3, 0 means "no limit"
            return z3.unknown
        try:
            solver = z3.SimpleSolver(ctx=self.context)
            solver.set("rlimit", granted)
            solver.add(*formulas)
            result = solver.check()
            # Z3 applies the limit to each check, but counts over all checks of a context.
            self._spent = solver.statistics().get_key_value("rlimit count")
        except z3.Z3Exception as error:
            if "memory" in str(error):
                raise MemoryError from None
            raise
        if result == z3.unknown and "memory" in solver.reason_unknown():
            raise MemoryError
        return result

    def z3_term(self, name: str) -> z3.ExprRef:
        """Return Z3's constant for the constant or variable with this name."""
        if name not in self._names:
            self._names[name] = z3.Const(name, self._thing_sort)
        return self._names[name]

    def translate(self, formula: Formula, domain: Sequence[z3.ExprRef] | None = None) -> z3.BoolRef:
        """Translate a formula to Z3; cached.

        Args:
            domain: all elements of a finite model. If it is given, the result has no quantifiers: each becomes an `and`
                or an `or` over the elements. Calls with the same number of elements must pass the same elements.
        """
        key = formula, len(domain) if domain else None
        if key not in self._translated:
            self._translated[key] = self._translate(formula, domain)
        return self._translated[key]

    def _translate(self, formula: Formula, domain: Sequence[z3.ExprRef] | None) -> z3.BoolRef:
        match formula:
            case Atom(predicate, terms):
                if predicate not in self._predicates:
                    sorts = [self._thing_sort] * len(terms)
                    self._predicates[predicate] = z3.Function(predicate, *sorts, self._bool_sort)
                return self._predicates[predicate](*(self.z3_term(term.name) for term in terms))
            case Not(body):
                return z3.Not(self._translate(body, domain))
            case And(left, right):
                return z3.And(self._translate(left, domain), self._translate(right, domain))
            case Or(left, right):
                return z3.Or(self._translate(left, domain), self._translate(right, domain))
            case Xor(left, right):
                return z3.Xor(self._translate(left, domain), self._translate(right, domain))
            case Implies(left, right):
                return z3.Implies(self._translate(left, domain), self._translate(right, domain))
            case Iff(left, right):
                return self._translate(left, domain) == self._translate(right, domain)
            case ForAll(variable, body) | Exists(variable, body):
                inner, bound = self._translate(body, domain), self.z3_term(variable.name)
                if domain is None:
                    return (z3.ForAll if isinstance(formula, ForAll) else z3.Exists)([bound], inner)
                instances = [z3.substitute(inner, (bound, element)) for element in domain]
                return cast(z3.BoolRef, (z3.And if isinstance(formula, ForAll) else z3.Or)(instances))
