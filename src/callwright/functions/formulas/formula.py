"""First-order formulas as text: reading, and printing such that the text can be read as the same formula again.

It re-exports the parts of formulas (`nodes.py`) and their checks (`checks.py`), so that callers import from one module.
"""

from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from callwright.errors import CallError
from callwright.functions.formulas.checks import (
    MAX_FORMULA_CHARACTERS,
    MAX_FORMULA_DEPTH,
    MAX_NODES,
    check_arities,
    check_closed,
    check_size,
    check_solver_input,
    free_variables,
    predicate_arities,
)
from callwright.functions.formulas.grammar import EXAMPLE, parse
from callwright.functions.formulas.nodes import (
    MAX_ARITY,
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
    Variable,
    Xor,
    atoms,
    check_name,
    format_unchecked,
    is_variable,
    term,
    walk,
)

__all__ = [
    "EXAMPLE",
    "MAX_ARITY",
    "MAX_FORMULA_CHARACTERS",
    "MAX_FORMULA_DEPTH",
    "MAX_NODES",
    "And",
    "Atom",
    "Constant",
    "Exists",
    "ForAll",
    "Formula",
    "FormulaArgument",
    "Iff",
    "Implies",
    "Not",
    "Or",
    "Term",
    "Variable",
    "Xor",
    "atoms",
    "check_arities",
    "check_closed",
    "check_name",
    "check_size",
    "check_solver_input",
    "format_formula",
    "free_variables",
    "is_variable",
    "parse_formula",
    "predicate_arities",
    "read_formula",
    "term",
    "walk",
]


def read_formula(value: Any) -> Formula:
    """Parse a formula; return a Formula unchanged. Free variables are allowed.

    Raises:
        ValueError: the value is not a single formula within the limits. The message is one line that says what is
            wrong and in which column.

    >>> format_formula(read_formula("∀x (Dog(x) → ¬Cat(x))"))
    'all x. (Dog(x) -> not Cat(x))'
    """
    if isinstance(value, Formula):
        check_size(value)
        return value
    if not isinstance(value, str):
        raise ValueError(f"a formula is a text, like {EXAMPLE}")
    return parse(value)


def parse_formula(text: str) -> Formula:
    """Like `read_formula`, but raises CallError, for code that does not get its formulas from a function's arguments.

    Raises:
        CallError: bad_arguments, with the message of `read_formula`.
    """
    try:
        return read_formula(text)
    except ValueError as error:
        raise CallError("bad_arguments", str(error)) from None


def format_formula(formula: Formula, unicode: bool = False) -> str:
    """Print a formula such that its text can be read as the same formula again; in ASCII unless `unicode`.

    Brackets surround every operand except an atom, a negation, and the left side of a sequence of the same connective
    (`A(x) and B(x) and C(x)`).

    Raises:
        ValueError: the formula exceeds the limits (`check_size`).

    >>> format_formula(read_formula("exists x. Dog(x) & Barks(x)"), unicode=True)
    '∃x (Dog(x) ∧ Barks(x))'
    """
    check_size(formula)
    return format_unchecked(formula, unicode)


FormulaArgument = Annotated[
    Formula,
    PlainValidator(read_formula),
    PlainSerializer(format_formula, return_type=str),
    WithJsonSchema({"type": "string", "description": f"a formula like {EXAMPLE}"}),
]
"""A formula in a function's signature; it may have free variables."""
