"""What synthetic entailment problems are made of: sentences about made-up kinds, and families of arguments.

A sentence is its form and what stands in its places: kinds ("A", "B", "C") and the one named thing ("n").
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
    """Premises and a statement; the kinds are in the order of the form's places."""

    premises: tuple[Sentence, ...]
    statement: Sentence

    @property
    def kinds(self) -> frozenset[str]:
        """The places of kinds ("A", "B", "C") that occur in it."""
        return frozenset(kind for _, *kinds in (*self.premises, self.statement) for kind in kinds)


@dataclass(frozen=True, eq=False)
class EntailmentFamily:
    """A family: one argument for every answer. `held_out`: of the splits, it occurs in the test alone."""

    name: str
    arguments: Mapping[TruthValue, Argument]
    held_out: bool = False


def _make_family(name: str, follows: Argument, unknown: Argument, *, held_out: bool = False) -> EntailmentFamily:
    """The negation of a statement that is true is the one that is false."""
    form, *kinds = follows.statement
    denied = ("is not" if form == "is" else "is", *kinds)
    arguments: dict[TruthValue, Argument] = {
        "True": follows,
        "False": Argument(follows.premises, denied),
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
"""By name. Each has the answers True, False and Unknown, so no family gives its answer away."""
