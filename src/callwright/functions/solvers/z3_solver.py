"""Decide entailment and equivalence with Z3. Runs only in the worker process; no other module imports it.

Whether formulas can be true together is decided in up to three steps, cheapest first: a short Z3 run, which decides
nearly all formulas that people write; a search for a small finite model; a long Z3 run. All steps share a work budget.

Why finite models: Z3 often runs forever if a quantifier requires another thing ("everything likes something"), even if
a model with two elements exists. In a domain with N named elements, a quantifier is an `and` or an `or` of N parts, and
without quantifiers Z3 always terminates. A model proves that the formulas are satisfiable. Not finding one proves
nothing: some formulas have only infinite models. Two of the N elements may be equal, so N is an upper limit, and a
larger N finds every model that a smaller N finds.
"""

import pickle
from bisect import bisect_left
from collections.abc import Sequence

import z3

from callwright.functions.formulas.nodes import Atom, Constant, Exists, ForAll, Formula, Not, Xor, atoms
from callwright.functions.solvers.worker import in_worker
from callwright.functions.solvers.z3_session import Z3Session

TOTAL_WORK = 400_000  # Z3's resource units for one question, see docs/logic.md
FIRST_TRY_WORK = 20_000  # units for the short run; FOLIO and ProofWriter need less than 10,000
FINITE_MODEL_WORK = 80_000  # units for the search for finite models
DOMAIN_SIZES = (2, 3, 5)  # numbers of elements that are tried, each an upper limit
MAX_EXPANDED_PARTS = 10_000  # of all formulas of a question, with each quantifier expanded


@in_worker
def entails(formulas: bytes) -> str | int:
    """Like `decide_entailment`, for pickled formulas: the premises and, last, the statement."""
    *premises, statement = pickle.loads(formulas)
    return decide_entailment(premises, statement)


@in_worker
def equivalent(formulas: bytes) -> str:
    """Decide whether two pickled formulas are equivalent: yes, no or undecided."""
    left, right = pickle.loads(formulas)
    result = _check_satisfiability(Z3Session(TOTAL_WORK), [Xor(left, right)], TOTAL_WORK)
    return "yes" if result == z3.unsat else "no" if result == z3.sat else "undecided"


def decide_entailment(premises: Sequence[Formula], statement: Formula) -> str | int:
    """Decide whether premises entail a statement: True, False, Unknown or undecided.

    Returns:
        One of these words; or an index, if the premises up to this index contradict each other. It is the first such
        index, unless the work budget ran out.
    """
    session = Z3Session(TOTAL_WORK)
    with_negation = _check_satisfiability(session, [*premises, Not(statement)], TOTAL_WORK // 2)
    if with_negation == z3.unknown:
        return "undecided"
    with_statement = _check_satisfiability(session, [*premises, statement], session.remaining_work)
    if with_statement == z3.unknown:
        return "undecided"
    if with_negation == with_statement == z3.unsat:
        translated = [session.translate(premise) for premise in premises]
        indices = range(len(translated) - 1)  # without the last: all premises together are known to be contradictory
        return bisect_left(indices, True, key=lambda last: _contradicts(session, translated[: last + 1]))
    return "True" if with_negation == z3.unsat else "False" if with_statement == z3.unsat else "Unknown"


def _check_satisfiability(session: Z3Session, formulas: Sequence[Formula], work: int) -> z3.CheckSatResult:
    """Check whether formulas can be true together, with at most `work` units: z3.sat, z3.unsat or z3.unknown."""
    work_floor = session.remaining_work - work
    translated = [session.translate(formula) for formula in formulas]
    result = session.check(translated, min(FIRST_TRY_WORK, work))
    if result != z3.unknown:
        return result
    if has_finite_model(session, formulas, min(FINITE_MODEL_WORK, session.remaining_work - work_floor)):
        return z3.sat
    return session.check(translated, session.remaining_work - work_floor)


def _contradicts(session: Z3Session, formulas: Sequence[z3.BoolRef]) -> bool:
    return bool(session.check(formulas, session.remaining_work // 2) == z3.unsat)


def has_finite_model(
    session: Z3Session, formulas: Sequence[Formula], work: int, domain_sizes: Sequence[int] = DOMAIN_SIZES
) -> bool:
    """Search for a small finite model of closed formulas. Finding none proves nothing.

    Args:
        work: units that the search may spend. Domains in which the formulas exceed MAX_EXPANDED_PARTS are not tried.
        domain_sizes: upper limits of the number of elements, ascending.

    Raises:
        MemoryError: see `Z3Session.check`.
    """
    work_floor = session.remaining_work - work
    terms = (term for formula in formulas for atom in atoms(formula) for term in atom.terms)
    names = dict.fromkeys(term.name for term in terms if isinstance(term, Constant))
    for size in domain_sizes:
        parts = sum(count_expanded_parts(formula, size) for formula in formulas)
        if session.remaining_work <= work_floor or parts > MAX_EXPANDED_PARTS:
            return False
        domain = [session.z3_term(f"d{number}") for number in range(size)]
        # Each constant is an element. By symmetry, the constant with index i is one of the first i + 1 elements.
        constraints = [
            z3.Or([session.z3_term(name) == element for element in domain[: index + 1]])
            for index, name in enumerate(names)
        ]
        translated = [session.translate(formula, domain) for formula in formulas]
        if session.check([*constraints, *translated], session.remaining_work - work_floor) == z3.sat:
            return True
    return False


def count_expanded_parts(formula: Formula, size: int) -> int:
    """Count the parts of a formula in a domain with `size` elements, with each quantifier expanded.

    >>> from callwright.functions.formulas.formula import read_formula
    >>> count_expanded_parts(read_formula("all x. exists y. R(x, y)"), 3)
    13
    """
    match formula:
        case Atom():
            return 1
        case Not(body):
            return 1 + count_expanded_parts(body, size)
        case ForAll(_, body) | Exists(_, body):
            return 1 + size * count_expanded_parts(body, size)
        case _:
            return 1 + count_expanded_parts(formula.left, size) + count_expanded_parts(formula.right, size)
