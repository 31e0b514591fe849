"""First-order formulas as text: read by one grammar, printed so that it reads back as the same formula."""

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
    is_variable,
    term,
    text,
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
    """The formula that a text means; a formula stays as it is. Free variables are allowed.

    Raises:
        ValueError: the value is not one formula within the bounds; one line says what is wrong, and in which column.

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
    """As `read_formula`, for a caller outside a function's signature.

    Raises:
        CallError: bad_arguments, with the same line.
    """
    try:
        return read_formula(text)
    except ValueError as error:
        raise CallError("bad_arguments", str(error)) from None


def format_formula(formula: Formula, unicode: bool = False) -> str:
    """The formula's text, which reads back as the same formula; ASCII unless `unicode`.

    Brackets stand around every operand but an atom, a negation, and a row of one connective (`A(x) and B(x) and C(x)`).

    Raises:
        ValueError: the formula exceeds the bounds.

    >>> format_formula(read_formula("exists x. Dog(x) & Barks(x)"), unicode=True)
    '∃x (Dog(x) ∧ Barks(x))'
    """
    check_size(formula)
    return text(formula, unicode)


FormulaArgument = Annotated[
    Formula,
    PlainValidator(read_formula),
    PlainSerializer(format_formula, return_type=str),
    WithJsonSchema({"type": "string", "description": f"a formula like {EXAMPLE}"}),
]
"""A formula in a function's signature; it may have free variables."""
