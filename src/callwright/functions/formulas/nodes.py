"""What first-order formulas are made of. `formula.py` reads and prints them, and gives these names on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

MAX_NAME_CHARACTERS = 80  # characters

RESERVED_WORDS = ("all", "forall", "exists", "not", "and", "or", "xor", "iff")
NAME = r"\w(?:[\w+]|[.'’-](?=\w))*"  # FOLIO has l-2021, c++, mr.smith, Companies’Stocks
VARIABLE = r"[u-z][0-9]?(?![\w+'’-])"
_NAME, _VARIABLE = re.compile(NAME), re.compile(VARIABLE)


def is_variable(name: str) -> bool:
    """Whether a name reads as a variable.

    >>> is_variable("x"), is_variable("y2"), is_variable("rex"), is_variable("a")
    (True, True, False, False)
    """
    return _VARIABLE.fullmatch(name) is not None


def check_name(name: str) -> str:
    """The name, if it is one.

    Raises:
        ValueError: it is too long, has other characters, or is a word of the language.
    """
    if len(name) > MAX_NAME_CHARACTERS:
        raise ValueError(f"a name of more than {MAX_NAME_CHARACTERS} characters")
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name[:40]!r} is not a name: write letters and digits without spaces")
    if name in RESERVED_WORDS:
        raise ValueError(f"{name!r} is a word of the language, not a name")
    return name


MAX_ARITY = 8  # terms of a predicate; FOLIO has up to 3. Z3's time grows faster than its counted work with more


@dataclass(frozen=True, slots=True)
class Variable:
    """What a quantifier ranges over."""

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


class _Part:
    """Shown as its text."""

    __slots__ = ()

    def __str__(self: Any) -> str:
        return text(self)


@dataclass(frozen=True, slots=True)
class Atom(_Part):
    """A predicate of one or more terms."""

    predicate: str
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        check_name(self.predicate)
        if is_variable(self.predicate):
            raise ValueError(f"{self.predicate} is a variable, not a predicate")
        if self.predicate.lower() == "not":  # any other word is read as a name where a name is expected
            raise ValueError(f"{self.predicate!r} is a word of the language, not a predicate")
        if not self.terms:
            raise ValueError(f"{self.predicate} needs a name, like {self.predicate}(x)")
        if len(self.terms) > MAX_ARITY:
            raise ValueError(f"{self.predicate[:40]} takes more than {MAX_ARITY} names")


@dataclass(frozen=True, slots=True)
class Not(_Part):
    """Negation."""

    body: "Formula"


@dataclass(frozen=True, slots=True)
class _BinaryConnective(_Part):
    left: "Formula"
    right: "Formula"


@dataclass(frozen=True, slots=True)
class _Quantified(_Part):
    variable: Variable
    body: "Formula"


@dataclass(frozen=True, slots=True)
class And(_BinaryConnective):
    """Both."""


@dataclass(frozen=True, slots=True)
class Or(_BinaryConnective):
    """At least one of both."""


@dataclass(frozen=True, slots=True)
class Xor(_BinaryConnective):
    """Exactly one of both."""


@dataclass(frozen=True, slots=True)
class Implies(_BinaryConnective):
    """If left, then right."""


@dataclass(frozen=True, slots=True)
class Iff(_BinaryConnective):
    """Both or neither."""


@dataclass(frozen=True, slots=True)
class ForAll(_Quantified):
    """The body holds of everything."""


@dataclass(frozen=True, slots=True)
class Exists(_Quantified):
    """The body holds of at least one thing."""


Formula: TypeAlias = Atom | Not | And | Or | Xor | Implies | Iff | ForAll | Exists


@dataclass(frozen=True, slots=True)
class LogicArgument:
    """Premises, and the statement whose truth they should decide."""

    premises: tuple[Formula, ...]
    statement: Formula


def term(name: str) -> Term:
    """The variable or the constant of this name.

    Raises:
        ValueError: it is not a name.
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


def text(formula: Formula, unicode: bool = False) -> str:
    """As `formula.format_formula`, for a formula of any size that Python can follow."""
    if isinstance(formula, Atom):
        return f"{formula.predicate}({', '.join(one.name for one in formula.terms)})"
    sign = _SIGNS[type(formula)][unicode]
    match formula:
        case Not(body):
            return f"{sign}{_format_operand(body, unicode)}"
        case ForAll(variable, body) | Exists(variable, body):
            inner = text(body, unicode) if isinstance(body, ForAll | Exists) else _format_operand(body, unicode)
            return f"{sign}{variable.name}{'' if unicode else '.'} {inner}"
        case _:
            row = isinstance(formula, And | Or | Xor) and type(formula.left) is type(formula)
            left = text(formula.left, unicode) if row else _format_operand(formula.left, unicode)
            return f"{left} {sign} {_format_operand(formula.right, unicode)}"


def _format_operand(formula: Formula, unicode: bool) -> str:
    inner = text(formula, unicode)
    return inner if isinstance(formula, Atom | Not) else f"({inner})"


def walk(formula: Formula) -> Iterator[tuple[Formula, int]]:
    """Every part with its depth (1 for the whole), outer before inner, left before right; safe at any depth."""
    waiting: list[tuple[Formula, int]] = [(formula, 1)]
    while waiting:
        part, depth = waiting.pop()
        yield part, depth
        match part:
            case Not(body) | ForAll(_, body) | Exists(_, body):
                waiting.append((body, depth + 1))
            case And(left, right) | Or(left, right) | Xor(left, right) | Implies(left, right) | Iff(left, right):
                waiting += ((right, depth + 1), (left, depth + 1))
            case Atom():
                pass


def atoms(formula: Formula) -> Iterator[Atom]:
    """The atoms in the order in which they are written, repeated ones too."""
    return (part for part, _ in walk(formula) if isinstance(part, Atom))
