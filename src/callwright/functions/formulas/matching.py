"""Decide whether two arguments (premises and a statement) say the same, apart from the names that they use."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Literal, TypeAlias

from callwright.errors import CallError
from callwright.functions.formulas.nodes import Formula, LogicArgument
from callwright.functions.formulas.normal_form import clauses_of, normal_form
from callwright.functions.formulas.renaming import EMPTY_RENAMING, Renaming, rename, renamings, symbols_of
from callwright.functions.formulas.unification import ClauseSearch, TooManyTriesError
from callwright.functions.solvers.entailment import equivalent

MAX_SOLVER_QUESTIONS = 24  # for one comparison of two arguments
MAX_RENAMINGS = 4  # renamings under which the solver is asked

Answer: TypeAlias = Literal["yes", "no", "undecided"]


def compare_arguments(given: LogicArgument, known: LogicArgument, *, whole: bool) -> Answer:
    """Whether one renaming turns every given premise into a known one, and the given statement into the known one.

    Premises are compared in parts, as one argument may join by `and` what the other says in two formulas. Normal forms
    are compared first, which needs no solver. Then the solver is asked a bounded number of times, under the likeliest
    renamings.

    Args:
        whole: whether all known premises have to be given too.

    Returns:
        "undecided" if the bounds were reached before a renaming was found or excluded.
    """
    if _are_identical(given, known, whole):
        return "yes"
    search = ClauseSearch(given, known, whole)
    try:
        if search.succeeds():
            return "yes"
        exhausted = False
    except TooManyTriesError:
        exhausted = True
    answer = _compare_by_solver(given, known, whole, search.best_renaming())
    return "undecided" if answer == "no" and exhausted else answer


def find_unmatched_formula(given: LogicArgument, known: LogicArgument) -> Formula | None:
    """A given formula that matches no known one under any renaming; None if each matches one."""
    search = ClauseSearch(given, known, False)
    try:
        if not any(
            True for _ in search.match(normal_form(given.statement), normal_form(known.statement), EMPTY_RENAMING)
        ):
            return given.statement
        for premise in given.premises:
            for clause in clauses_of(premise):
                if not any(
                    True for known_clause in search.known for _ in search.match(clause, known_clause, EMPTY_RENAMING)
                ):
                    return premise
    except TooManyTriesError:
        pass
    return None


def _are_identical(given: LogicArgument, known: LogicArgument, whole: bool) -> bool:
    """Whether the arguments agree word for word, as they do for most chains."""
    premises, known_premises = set(given.premises), set(known.premises)
    return (
        given.statement == known.statement and premises <= known_premises and (not whole or premises == known_premises)
    )


def _compare_by_solver(given: LogicArgument, known: LogicArgument, whole: bool, likely: Renaming) -> Answer:
    questions = 0
    is_open = False

    def says_same(left: Formula, right: Formula) -> bool:
        nonlocal questions, is_open
        if left == right:
            return True
        if questions >= MAX_SOLVER_QUESTIONS:
            is_open = True
            return False
        questions += 1
        try:
            answer = equivalent(left, right)
        except CallError:  # the solver's limits
            answer = "undecided"
        is_open |= answer == "undecided"
        return answer == "yes"

    for names in islice(renamings(given, known, likely), MAX_RENAMINGS):
        premises = [rename(premise, names) for premise in given.premises]
        if not says_same(rename(given.statement, names), known.statement):
            continue
        partners = [_find_equivalent_premise(premise, known.premises, says_same) for premise in premises]
        if None not in partners and (not whole or len(set(partners)) == len(set(known.premises))):
            return "yes"
    return "undecided" if is_open else "no"


def _find_equivalent_premise(
    premise: Formula, known: Sequence[Formula], says_same: Callable[[Formula, Formula], bool]
) -> int | None:
    """The index of a known premise that says the same. Only premises with the same symbols are compared."""
    symbols = symbols_of(premise)
    alike = [index for index, candidate in enumerate(known) if symbols_of(candidate) == symbols]
    return next((index for index in alike if says_same(premise, known[index])), None)
