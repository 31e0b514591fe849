"""Functions that build first-order formulas: each call adds one part and returns the text for the next call."""

from typing import Annotated

from pydantic import AfterValidator

from callwright.errors import CallError
from callwright.functions.formulas.formula import (
    MAX_FORMULA_CHARACTERS,
    And,
    Atom,
    Exists,
    ForAll,
    Formula,
    FormulaArgument,
    Iff,
    Implies,
    Not,
    Or,
    Variable,
    Xor,
    check_arities,
    check_closed,
    check_name,
    format_formula,
    term,
)
from callwright.functions.function import strict_function
from callwright.functions.numbers import execution_error
from callwright.records import Call

TermName = Annotated[str, AfterValidator(check_name)]
"""The type of a parameter that takes a variable or a constant."""

PredicateName = Annotated[str, AfterValidator(lambda name: Atom(check_name(name), (term("rex"),)).predicate)]
"""The type of a parameter that takes a predicate."""

VariableName = Annotated[str, AfterValidator(lambda name: Variable(name).name)]
"""The type of a parameter that takes a variable."""


def _format_checked(formula: Formula) -> str:
    check_arities(formula)
    try:
        text = format_formula(formula)
    except ValueError as error:
        raise execution_error(f"the result would be {error}") from None
    if len(text) > MAX_FORMULA_CHARACTERS:
        raise execution_error(f"the result would be a formula of more than {MAX_FORMULA_CHARACTERS:,} characters")
    return text


@strict_function(example={"name": "Dog", "terms": ["x"]})
def predicate(name: PredicateName, terms: list[TermName]) -> str:
    """A predicate of variables (x, y, z) and names (rex)."""
    if not terms:
        raise CallError("bad_arguments", f"predicate needs at least one term; call it like {predicate.example_call()}")
    return _format_checked(Atom(name, tuple(map(term, terms))))


@strict_function(example={"body": "Dog(x)"})
def negate(body: FormulaArgument) -> str:
    """Not."""
    return _format_checked(Not(body))


@strict_function(example={"left": "Dog(x)", "right": "Big(x)"})
def conjoin(left: FormulaArgument, right: FormulaArgument) -> str:
    """Both: left and right."""
    return _format_checked(And(left, right))


@strict_function(example={"left": "Dog(x)", "right": "Cat(x)"})
def disjoin(left: FormulaArgument, right: FormulaArgument) -> str:
    """At least one: left or right or both."""
    return _format_checked(Or(left, right))


@strict_function(example={"left": "Dog(rex)", "right": "Cat(rex)"})
def exclusive(left: FormulaArgument, right: FormulaArgument) -> str:
    """Exactly one: either left or right, not both."""
    return _format_checked(Xor(left, right))


@strict_function(example={"left": "Dog(x)", "right": "Animal(x)"})
def imply(left: FormulaArgument, right: FormulaArgument) -> str:
    """If left, then right."""
    return _format_checked(Implies(left, right))


@strict_function(example={"left": "Cat(x)", "right": "Likes(x, rex)"})
def equivalent(left: FormulaArgument, right: FormulaArgument) -> str:
    """Left if and only if right."""
    return _format_checked(Iff(left, right))


@strict_function(example={"variable": "x", "body": "Dog(x) -> Animal(x)"})
def for_all(variable: VariableName, body: FormulaArgument) -> str:
    """The body holds for all values of the variable."""
    return _format_checked(ForAll(Variable(variable), body))


@strict_function(example={"variable": "x", "body": "Dog(x) and Big(x)"})
def exists(variable: VariableName, body: FormulaArgument) -> str:
    """The body holds for at least one value of the variable."""
    return _format_checked(Exists(Variable(variable), body))


@strict_function(example={"value": "all x. (Dog(x) -> Animal(x))"})
def answer(value: FormulaArgument) -> str:
    """Give the finished formula and stop."""
    check_closed(value)
    return _format_checked(value)


ALL = (predicate, negate, conjoin, disjoin, exclusive, imply, equivalent, for_all, exists, answer)
"""In the order in which a prompt describes them."""

_BINARY_BUILDERS = {And: conjoin, Or: disjoin, Xor: exclusive, Implies: imply, Iff: equivalent}


def building_calls(formula: Formula) -> tuple[Call, ...]:
    """The calls that build a formula from the inside out, each part once. The last call is `answer`.

    Raises:
        CallError, ValueError: the formula has a free variable, exceeds the limits, or uses a predicate with two
            numbers of terms.

    >>> from callwright.functions.formulas.formula import read_formula
    >>> [call.name for call in building_calls(read_formula("all x. (Dog(x) -> not Cat(x))"))]
    ['predicate', 'predicate', 'negate', 'imply', 'for_all', 'answer']
    """
    check_closed(formula)
    check_arities(formula)
    calls: dict[str, Call] = {}
    text = _add_calls(formula, calls)
    return (*calls.values(), Call(answer.name, {"value": text}))


def _add_calls(formula: Formula, calls: dict[str, Call]) -> str:
    """Add the missing calls to `calls` (result -> call). Return the formula's text."""
    text = format_formula(formula)
    if text in calls:
        return text
    match formula:
        case Atom(name, terms):
            call = Call(predicate.name, {"name": name, "terms": [each.name for each in terms]})
        case Not(body):
            call = Call(negate.name, {"body": _add_calls(body, calls)})
        case ForAll(variable, body):
            call = Call(for_all.name, {"variable": variable.name, "body": _add_calls(body, calls)})
        case Exists(variable, body):
            call = Call(exists.name, {"variable": variable.name, "body": _add_calls(body, calls)})
        case _:
            parts = {"left": _add_calls(formula.left, calls), "right": _add_calls(formula.right, calls)}
            call = Call(_BINARY_BUILDERS[type(formula)].name, parts)
    calls[text] = call
    return text
