"""Checks of first-order formulas: size, free variables, and the number of terms of each predicate."""

from callwright.errors import CallError
from callwright.functions.formulas.nodes import Atom, Constant, Exists, ForAll, Formula, Not, Variable, atoms, walk

MAX_FORMULA_CHARACTERS = 2_000  # of a formula's text
MAX_FORMULA_DEPTH = 30  # of nested connectives and quantifiers, and of brackets
MAX_NODES = 200  # connectives, quantifiers and atoms

# Of all formulas of a question. The largest of FOLIO and ProofWriter has 73 parts, 14 predicates and 20 constants.
MAX_PARTS = 1_000
MAX_PREDICATES = 128
MAX_CONSTANTS = 128


def check_size(formula: Formula) -> None:
    """Check that a formula is not too deep and does not have too many parts.

    Raises:
        ValueError: the formula exceeds MAX_FORMULA_DEPTH or MAX_NODES.
    """
    for count, (_, depth) in enumerate(walk(formula), start=1):
        if depth > MAX_FORMULA_DEPTH:
            raise ValueError(f"a formula nested deeper than {MAX_FORMULA_DEPTH}")
        if count > MAX_NODES:
            raise ValueError(f"a formula of more than {MAX_NODES} parts")


def free_variables(formula: Formula) -> set[str]:
    """Return the names of the variables that no quantifier binds. The formula must have passed `check_size`."""
    match formula:
        case Atom(_, terms):
            return {term.name for term in terms if isinstance(term, Variable)}
        case Not(body):
            return free_variables(body)
        case ForAll(variable, body) | Exists(variable, body):
            return free_variables(body) - {variable.name}
        case _:
            return free_variables(formula.left) | free_variables(formula.right)


def check_closed(formula: Formula) -> None:
    """Check that a formula has no free variable; with one it has no truth value.

    Raises:
        CallError: bad_arguments: a variable is free.
    """
    if free := sorted(free_variables(formula)):
        name = free[0]
        raise CallError(
            "bad_arguments", f"{name} is bound by no quantifier: say all {name}. (...) or exists {name}. (...)"
        )


def predicate_arities(*formulas: Formula) -> dict[str, int]:
    """Return the number of terms of each predicate, in order of appearance.

    Raises:
        CallError: bad_arguments: a predicate occurs with different numbers of terms.
    """
    arities: dict[str, int] = {}
    for formula in formulas:
        for atom in atoms(formula):
            expected, actual = arities.setdefault(atom.predicate, len(atom.terms)), len(atom.terms)
            if expected != actual:
                raise CallError(
                    "bad_arguments",
                    f"{atom.predicate} stands with {expected} and with {actual} names: "
                    "a predicate always takes the same number",
                )
    return arities


def check_arities(*formulas: Formula) -> None:
    """Check that each predicate always has the same number of terms.

    Raises:
        CallError: bad_arguments: a predicate occurs with different numbers of terms.
    """
    predicate_arities(*formulas)


def check_solver_input(*formulas: Formula) -> None:
    """Check that the formulas together are small enough for the solver.

    Raises:
        CallError: bad_arguments: a predicate occurs with different numbers of terms; execution_error: there are more
            than MAX_PARTS parts, MAX_PREDICATES predicates or MAX_CONSTANTS constants.
    """
    parts = [part for formula in formulas for part, _ in walk(formula)]
    terms = {term for part in parts if isinstance(part, Atom) for term in part.terms}
    constants = sum(isinstance(term, Constant) for term in terms)
    for noun, count, limit in (
        ("parts", len(parts), MAX_PARTS),
        ("predicates", len(predicate_arities(*formulas)), MAX_PREDICATES),
        ("names of things", constants, MAX_CONSTANTS),
    ):
        if count > limit:
            raise CallError("execution_error", f"the formulas together have more than {limit:,} {noun}, the limit")
