"""Formulas as a question to Z3, and small finite worlds in which to look for a model."""

from collections.abc import Sequence
from typing import cast

import z3

from callwright.functions.formulas.nodes import (
    And,
    Atom,
    Constant,
    Exists,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    Term,
    Xor,
    atoms,
)

MAX_MEMORY_MB = 256  # limit of Z3's memory in this process, for all contexts together

z3.set_param("memory_max_size", MAX_MEMORY_MB)


class Z3Session:
    """Formulas over one sort of things, which is not empty. Two constants may stand for the same thing.

    Args:
        work: units granted to all checks together.
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
    def left(self) -> int:
        """Units of work that are not spent yet."""
        return self._work - self._spent

    def check(self, formulas: Sequence[z3.BoolRef], max_work: int) -> z3.CheckSatResult:
        """Whether formulas can be true together: z3.sat, z3.unsat, or z3.unknown when the units are used up.

        Args:
            most: units that this check may spend, of those that are left.

        Raises:
            MemoryError: Z3 reached its limit, which all contexts share: this process must not be asked again.
        """
        granted = min(max_work, self.left)
        if granted <= 0:  # Z3 takes 0 for "no limit"
            return z3.unknown
        try:
            solver = z3.SimpleSolver(ctx=self.context)
            solver.set("rlimit", granted)
            solver.add(*formulas)
            result = solver.check()
            # The limit applies to each check, but Z3 counts over all checks of a context.
            self._spent = solver.statistics().get_key_value("rlimit count")
        except z3.Z3Exception as error:
            if "memory" in str(error):
                raise MemoryError from None
            raise
        if result == z3.unknown and "memory" in solver.reason_unknown():
            raise MemoryError
        return result

    def thing(self, name: str) -> z3.ExprRef:
        """The constant or the variable of this name."""
        if name not in self._names:
            self._names[name] = z3.Const(name, self._thing_sort)
        return self._names[name]

    def translate(self, formula: Formula, things: Sequence[z3.ExprRef] | None = None) -> z3.BoolRef:
        """The formula in Z3's terms; translated once.

        Args:
            things: all things of the world; calls with equally many must pass the same ones. With them the result has
                no quantifiers: each becomes an `and` or an `or` over the things.
        """
        key = formula, len(things) if things else None
        if key not in self._translated:
            self._translated[key] = self._translate(formula, things)
        return self._translated[key]

    def _translate(self, formula: Formula, things: Sequence[z3.ExprRef] | None) -> z3.BoolRef:
        match formula:
            case Atom(predicate, terms):
                if predicate not in self._predicates:
                    sorts = [self._thing_sort] * len(terms)
                    self._predicates[predicate] = z3.Function(predicate, *sorts, self._bool_sort)
                return self._predicates[predicate](*map(self._term, terms))
            case Not(body):
                return z3.Not(self._translate(body, things))
            case And(left, right):
                return z3.And(self._translate(left, things), self._translate(right, things))
            case Or(left, right):
                return z3.Or(self._translate(left, things), self._translate(right, things))
            case Xor(left, right):
                return z3.Xor(self._translate(left, things), self._translate(right, things))
            case Implies(left, right):
                return z3.Implies(self._translate(left, things), self._translate(right, things))
            case Iff(left, right):
                return self._translate(left, things) == self._translate(right, things)
            case ForAll(variable, body) | Exists(variable, body):
                inner, bound = self._translate(body, things), self._term(variable)
                if things is None:
                    return (z3.ForAll if isinstance(formula, ForAll) else z3.Exists)([bound], inner)
                instances = [z3.substitute(inner, (bound, thing)) for thing in things]
                return cast(z3.BoolRef, (z3.And if isinstance(formula, ForAll) else z3.Or)(instances))

    def _term(self, term: Term) -> z3.ExprRef:
        return self.thing(term.name)


DOMAIN_SIZES = (2, 3, 5)  # numbers of things that are tried, each an upper limit
MAX_EXPANDED_PARTS = 10_000  # of all formulas of a question, with each quantifier expanded


def has_finite_model(
    question: Z3Session, formulas: Sequence[Formula], work: int, domain_sizes: Sequence[int] = DOMAIN_SIZES
) -> bool:
    """Whether a small world was found in which closed formulas are all true.

    Args:
        work: units that the search may spend. Worlds whose description exceeds MAX_EXPANDED_PARTS are not tried.
        sizes: how many things there are at most, ascending.

    Raises:
        MemoryError: as `Question.check` does.
    """
    end = question.left - work
    terms = (term for formula in formulas for atom in atoms(formula) for term in atom.terms)
    names = dict.fromkeys(term.name for term in terms if isinstance(term, Constant))
    for count in domain_sizes:
        if (
            question.left <= end
            or sum(count_expanded_parts(formula, count) for formula in formulas) > MAX_EXPANDED_PARTS
        ):
            return False
        things = [question.thing(f"d{number}") for number in range(count)]
        constraints = [
            z3.Or([question.thing(name) == thing for thing in things[: index + 1]]) for index, name in enumerate(names)
        ]
        world = [question.translate(formula, things) for formula in formulas]
        if question.check([*constraints, *world], question.left - end) == z3.sat:
            return True
    return False


def count_expanded_parts(formula: Formula, count: int) -> int:
    """How many parts a formula has in a world of `count` things, with each quantifier expanded.

    >>> from callwright.functions.formulas.formula import read_formula
    >>> count_expanded_parts(read_formula("all x. exists y. R(x, y)"), 3)
    13
    """
    match formula:
        case Atom():
            return 1
        case Not(body):
            return 1 + count_expanded_parts(body, count)
        case ForAll(_, body) | Exists(_, body):
            return 1 + count * count_expanded_parts(body, count)
        case _:
            return 1 + count_expanded_parts(formula.left, count) + count_expanded_parts(formula.right, count)
