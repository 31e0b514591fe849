"""The parts of first-order formulas. `formula.py` reads and prints formulas, and re-exports these names.

Variables are recognised by their spelling, so unfinished formulas can be read too: one letter from u to z with at most
one digit (`x`, `y2`) is a variable, any other name is a constant or a predicate.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

MAX_NAME_CHARACTERS = 80
MAX_ARITY = 8  # terms of a predicate; FOLIO has up to 3. With more, Z3's time grows faster than its counted work

RESERVED_WORDS = ("all", "forall", "exists", "not", "and", "or", "xor", "iff")
NAME = r"\w(?:[\w+]|[.'’-](?=\w))*"  # FOLIO has l-2021, c++, mr.smith, Companies’Stocks
VARIABLE = r"[u-z][0-9]?(?![\w+'’-])"
_NAME, _VARIABLE = re.compile(NAME), re.compile(VARIABLE)


def is_variable(name: str) -> bool:
    """Whether a name is spelled like a variable.

    >>> is_variable("x"), is_variable("y2"), is_variable("rex"), is_variable("a")
    (True, True, False, False)
    """
    return _VARIABLE.fullmatch(name) is not None


def check_name(name: str) -> str:
    """Validate a name and return it.

    Raises:
        ValueError: the name is too long, contains other characters, or is a reserved word.
    """
    if len(name) > MAX_NAME_CHARACTERS:
        raise ValueError(f"a name of more than {MAX_NAME_CHARACTERS} characters")
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name[:40]!r} is not a name: write letters and digits without spaces")
    if name in RESERVED_WORDS:
        raise ValueError(f"{name!r} is a word of the language, not a name")
    return name


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable, which a quantifier can bind."""

    name: str

    def __post_init__(self) -> None:
        if not is_variable(self.name):
            raise ValueError(f"{self.name[:40]!r} is not a variable: write one letter from u to z, like x or y2")


@dataclass(frozen=True, slots=True)
class Constant:
    """A named thing."""

    name: str

    def __post_init__(self) -> None:
        check_name(self.name)
        if is_variable(self.name):
            raise ValueError(f"{self.name} is a variable, not the name of a thing")


Term: TypeAlias = Variable | Constant


class _Printable:
    """Mixin: str() returns the formula's text."""

    __slots__ = ()

    def __str__(self: Any) -> str:
        return format_unchecked(self)


@dataclass(frozen=True, slots=True)
class Atom(_Printable):
    """A predicate with one or more terms."""

    predicate: str
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        check_name(self.predicate)
        if is_variable(self.predicate):
            raise ValueError(f"{self.predicate} is a variable, not a predicate")
        if self.predicate.lower() == "not":  # the grammar reads other reserved words as names if it expects a name
            raise ValueError(f"{self.predicate!r} is a word of the language, not a predicate")
        if not self.terms:
            raise ValueError(f"{self.predicate} needs a name, like {self.predicate}(x)")
        if len(self.terms) > MAX_ARITY:
            raise ValueError(f"{self.predicate[:40]} takes more than {MAX_ARITY} names")


@dataclass(frozen=True, slots=True)
class Not(_Printable):
    """Negation."""

    body: "Formula"


@dataclass(frozen=True, slots=True)
class _BinaryConnective(_Printable):
    left: "Formula"
    right: "Formula"


@dataclass(frozen=True, slots=True)
class _Quantified(_Printable):
    variable: Variable
    body: "Formula"


@dataclass(frozen=True, slots=True)
class And(_BinaryConnective):
    """Both."""


@dataclass(frozen=True, slots=True)
class Or(_BinaryConnective):
    """At least one of the two."""


@dataclass(frozen=True, slots=True)
class Xor(_BinaryConnective):
    """Exactly one of the two."""


@dataclass(frozen=True, slots=True)
class Implies(_BinaryConnective):
    """If left, then right."""


@dataclass(frozen=True, slots=True)
class Iff(_BinaryConnective):
    """Both or neither."""


@dataclass(frozen=True, slots=True)
class ForAll(_Quantified):
    """The body is true of everything."""


@dataclass(frozen=True, slots=True)
class Exists(_Quantified):
    """The body is true of at least one thing."""


Formula: TypeAlias = Atom | Not | And | Or | Xor | Implies | Iff | ForAll | Exists


@dataclass(frozen=True, slots=True)
class LogicArgument:
    """Premises, and a statement that they should prove or refute."""

    premises: tuple[Formula, ...]
    statement: Formula


def term(name: str) -> Term:
    """Make the variable or the constant with this name.

    Raises:
        ValueError: the name is not valid.
    """
    return Variable(name) if is_variable(name) else Constant(name)


_SIGNS = {
    Not: ("not ", "¬"),
    And: ("and", "∧"),
    Or: ("or", "∨"),
    Xor: ("xor", "⊕"),
    Implies: ("->", "→"),
    Iff: ("<->", "↔"),
    ForAll: ("all ", "∀"),
    Exists: ("exists ", "∃"),
}


def format_unchecked(formula: Formula, unicode: bool = False) -> str:
    """Like `formula.format_formula`, but without a size check (limited by Python's recursion)."""
    if isinstance(formula, Atom):
        return f"{formula.predicate}({', '.join(term.name for term in formula.terms)})"
    sign = _SIGNS[type(formula)][unicode]
    match formula:
        case Not(body):
            return f"{sign}{_format_operand(body, unicode)}"
        case ForAll(variable, body) | Exists(variable, body):
            format_body = format_unchecked if isinstance(body, ForAll | Exists) else _format_operand
            return f"{sign}{variable.name}{'' if unicode else '.'} {format_body(body, unicode)}"
        case _:
            same_connective = isinstance(formula, And | Or | Xor) and type(formula.left) is type(formula)
            format_left = format_unchecked if same_connective else _format_operand
            return f"{format_left(formula.left, unicode)} {sign} {_format_operand(formula.right, unicode)}"


def _format_operand(formula: Formula, unicode: bool) -> str:
    text = format_unchecked(formula, unicode)
    return text if isinstance(formula, Atom | Not) else f"({text})"


def walk(formula: Formula) -> Iterator[tuple[Formula, int]]:
    """Yield every part with its depth (1 for the whole formula), outer before inner, left before right.

    It does not recurse, so it works at any depth.
    """
    stack: list[tuple[Formula, int]] = [(formula, 1)]
    while stack:
        part, depth = stack.pop()
        yield part, depth
        match part:
            case Not(body) | ForAll(_, body) | Exists(_, body):
                stack.append((body, depth + 1))
            case And(left, right) | Or(left, right) | Xor(left, right) | Implies(left, right) | Iff(left, right):
                stack += ((right, depth + 1), (left, depth + 1))
            case Atom():
                pass


def atoms(formula: Formula) -> Iterator[Atom]:
    """Yield the atoms in the order in which they are written, with repetitions."""
    return (part for part, _ in walk(formula) if isinstance(part, Atom))
