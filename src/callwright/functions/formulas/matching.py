"""Compare two logic arguments (premises and a statement) up to renaming of their predicates and constants.

The "given" argument is compared with a "known" one.
"""

from collections.abc import Callable, Sequence
from itertools import islice

from callwright.errors import CallError
from callwright.functions.formulas.nodes import Formula, LogicArgument
from callwright.functions.formulas.normal_form import Node, clauses_of, normal_form
from callwright.functions.formulas.unification import (
    EMPTY_RENAMING,
    ClauseSearch,
    Renaming,
    TooManyTriesError,
    propose_renamings,
    rename,
    symbols_of,
)
from callwright.functions.solvers.entailment import Equivalence, equivalent

MAX_SOLVER_QUESTIONS = 24  # per comparison of two arguments
MAX_RENAMINGS = 4  # renamings that are tried with the solver


def compare_arguments(given: LogicArgument, known: LogicArgument, *, require_all_premises: bool) -> Equivalence:
    """Decide whether one renaming maps the given statement to the known one and each given premise to a known one.

    Conjunctions are split first, because one argument may join with `and` what the other states in two premises. Normal
    forms are compared first, without the solver. Then a limited number of questions goes to the solver, under the most
    likely renamings.

    Args:
        require_all_premises: whether each known premise must also be given.

    Returns:
        "undecided" if a limit was reached before a renaming was found or ruled out.
    """
    if _are_identical(given, known, require_all_premises):
        return "yes"
    search = ClauseSearch(given, known, require_all_premises)
    try:
        if search.succeeds():
            return "yes"
        search_limit_reached = False
    except TooManyTriesError:
        search_limit_reached = True
    result = _compare_by_solver(given, known, require_all_premises, search.best_renaming())
    return "undecided" if result == "no" and search_limit_reached else result


def find_unmatched_formula(given: LogicArgument, known: LogicArgument) -> Formula | None:
    """Find a given formula that matches no known one under any renaming.

    Returns:
        The formula; None if each matches one, or if the search reached its limit.
    """
    search = ClauseSearch(given, known, require_all_premises=False)

    def can_match(node: Node, known_node: Node) -> bool:
        return any(True for _ in search.unify_closed(node, known_node, EMPTY_RENAMING))

    try:
        if not can_match(normal_form(given.statement), normal_form(known.statement)):
            return given.statement
        for premise in given.premises:
            for clause in clauses_of(premise):
                if not any(can_match(clause, known_clause) for known_clause in search.known_clauses):
                    return premise
    except TooManyTriesError:
        pass
    return None


def _are_identical(given: LogicArgument, known: LogicArgument, require_all_premises: bool) -> bool:
    """Whether the arguments are equal without renaming; true for most chains."""
    premises, known_premises = set(given.premises), set(known.premises)
    if given.statement != known.statement:
        return False
    return premises == known_premises if require_all_premises else premises <= known_premises


def _compare_by_solver(
    given: LogicArgument, known: LogicArgument, require_all_premises: bool, likely: Renaming
) -> Equivalence:
    questions = 0
    any_undecided = False

    def is_equivalent(left: Formula, right: Formula) -> bool:
        nonlocal questions, any_undecided
        if left == right:
            return True
        if questions >= MAX_SOLVER_QUESTIONS:
            any_undecided = True
            return False
        questions += 1
        try:
            result = equivalent(left, right)
        except CallError:  # a limit of the solver
            result = "undecided"
        any_undecided |= result == "undecided"
        return result == "yes"

    for new_names in islice(propose_renamings(given, known, likely), MAX_RENAMINGS):
        premises = [rename(premise, new_names) for premise in given.premises]
        if not is_equivalent(rename(given.statement, new_names), known.statement):
            continue
        partners = [_find_equivalent_premise(premise, known.premises, is_equivalent) for premise in premises]
        if None not in partners and (not require_all_premises or len(set(partners)) == len(set(known.premises))):
            return "yes"
    return "undecided" if any_undecided else "no"


def _find_equivalent_premise(
    premise: Formula, known_premises: Sequence[Formula], is_equivalent: Callable[[Formula, Formula], bool]
) -> int | None:
    """Return the index of an equivalent known premise. Only premises with the same symbols are compared."""
    symbols = symbols_of(premise)
    candidates = [index for index, known in enumerate(known_premises) if symbols_of(known) == symbols]
    return next((index for index in candidates if is_equivalent(premise, known_premises[index])), None)
