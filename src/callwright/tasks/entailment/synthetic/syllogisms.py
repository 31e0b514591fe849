"""The parts of synthetic entailment problems: sentences about made-up kinds, and families of arguments.

A sentence is a form and the kinds in its slots ("A", "B", "C"). A form may also have a slot for the name ("n").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from callwright.tasks.entailment.functions import TruthValue

KINDS = ("blick", "dax", "fep", "gorp", "kif", "lorp", "mib", "nax", "pim", "rill", "sot", "tove", "vug", "wumpus")
NAMES = ("Ava", "Ida", "Jon", "Kim", "Leo", "Max", "Ned", "Pia", "Rex", "Sam", "Tia", "Una")

Sentence: TypeAlias = tuple[str, ...]

STYLE_COUNT = 3
WORDINGS: Mapping[str, tuple[str, ...]] = {  # of each form, by style
    "every": ("Every {A} is a {B}.", "Each {A} is a {B}.", "If something is a {A}, it is a {B}."),
    "no": ("No {A} is a {B}.", "A {A} is never a {B}.", "If something is a {A}, it is not a {B}."),
    "is": ("{n} is a {A}.",) * STYLE_COUNT,
    "is not": ("{n} is not a {A}.",) * STYLE_COUNT,
    "if": ("If {n} is a {A}, {n} is a {B}.", "{n} is a {B} if {n} is a {A}.", "If {n} is a {A}, then {n} is a {B}."),
}
FORMULAS: Mapping[str, str] = {
    "every": "all x. ({A}(x) -> {B}(x))",
    "no": "all x. ({A}(x) -> not {B}(x))",
    "is": "{A}({n})",
    "is not": "not {A}({n})",
    "if": "{A}({n}) -> {B}({n})",
}


@dataclass(frozen=True, slots=True)
class Argument:
    """Premises and a statement. The kinds of a sentence are in the order of its form's slots."""

    premises: tuple[Sentence, ...]
    statement: Sentence

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds ("A", "B", "C") that occur in it."""
        return frozenset(kind for _, *kinds in (*self.premises, self.statement) for kind in kinds)


@dataclass(frozen=True, eq=False)
class EntailmentFamily:
    """One argument for every answer.

    Attributes:
        held_out: whether the family occurs in the test split only.
    """

    name: str
    arguments: Mapping[TruthValue, Argument]
    held_out: bool = False


def _make_family(name: str, entailed: Argument, unknown: Argument, *, held_out: bool = False) -> EntailmentFamily:
    """A family whose argument for False has the negated statement of its argument for True."""
    form, *kinds = entailed.statement
    negated_statement = ("is not" if form == "is" else "is", *kinds)
    arguments: dict[TruthValue, Argument] = {
        "True": entailed,
        "False": Argument(entailed.premises, negated_statement),
        "Unknown": unknown,
    }
    return EntailmentFamily(name, arguments, held_out)


FAMILIES: dict[str, EntailmentFamily] = {
    family.name: family
    for family in (
        _make_family(
            "member",
            Argument((("every", "A", "B"), ("is", "A")), ("is", "B")),
            Argument((("every", "A", "B"), ("is", "B")), ("is", "A")),
        ),
        _make_family(
            "apart",
            Argument((("no", "A", "B"), ("is", "A")), ("is not", "B")),
            Argument((("no", "A", "B"), ("is not", "A")), ("is", "B")),
        ),
        _make_family(
            "backwards",
            Argument((("every", "A", "B"), ("is not", "B")), ("is not", "A")),
            Argument((("every", "A", "B"), ("is not", "A")), ("is not", "B")),
        ),
        _make_family(
            "case",
            Argument((("if", "A", "B"), ("is", "A")), ("is", "B")),
            Argument((("if", "A", "B"), ("is", "B")), ("is not", "A")),
        ),
        _make_family(
            "two rules",
            Argument((("every", "A", "B"), ("every", "B", "C"), ("is", "A")), ("is", "C")),
            Argument((("every", "A", "B"), ("every", "C", "B"), ("is", "A")), ("is not", "C")),
        ),
        _make_family(
            "barred",
            Argument((("every", "A", "B"), ("no", "B", "C"), ("is", "A")), ("is not", "C")),
            Argument((("every", "A", "B"), ("no", "A", "C"), ("is", "B")), ("is", "C")),
        ),
        _make_family(
            "rule and case",
            Argument((("every", "A", "B"), ("if", "B", "C"), ("is", "A")), ("is", "C")),
            Argument((("every", "A", "B"), ("if", "B", "C"), ("is", "C")), ("is not", "A")),
            held_out=True,
        ),
        _make_family(
            "barred case",
            Argument((("no", "A", "B"), ("if", "C", "B"), ("is", "C")), ("is not", "A")),
            Argument((("no", "A", "B"), ("if", "C", "A"), ("is not", "C")), ("is", "B")),
            held_out=True,
        ),
    )
}
"""By name. Each family has problems with all three answers, so the family does not reveal the answer."""
