"""Synthetic entailment problems: two or three short premises about made-up kinds, and a statement."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeAlias, get_args

from callwright.errors import DataError
from callwright.functions.formulas.formula import Formula, parse_formula
from callwright.records import Problem, Split
from callwright.tasks.entailment.functions import TruthValue
from callwright.tasks.entailment.names import NAMES
from callwright.tasks.entailment.questions import TASK, entailment_gold_chain, entailment_question
from callwright.tasks.parts import SyntheticProblems
from callwright.tasks.synthetic import SOURCE, Pool, draw_from_families

KINDS = ("blick", "dax", "fep", "gorp", "kif", "lorp", "mib", "nax", "pim", "rill", "sot", "tove", "vug", "wumpus")

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


TRUTH_VALUES: tuple[TruthValue, ...] = get_args(TruthValue)
MAX_TRIES = 10_000  # draws of words


def entailment_problems(counts: Mapping[Split, int], held_out_test: int, seed: int) -> list[Problem]:
    """Problems with ids like "synthetic/entailment/train/000123" (see `draw_from_families`).

    The problems of a family cycle through the answers True, False and Unknown.
    """
    return draw_from_families(list(FAMILIES.values()), _draw, counts, held_out_test, seed, f"{SOURCE}/{TASK}")


SYNTHETIC = SyntheticProblems(entailment_problems)


def _draw(family: EntailmentFamily, drawn_before: int, rng: Random, pool: Pool) -> Problem:
    return draw_entailment(family, TRUTH_VALUES[drawn_before % len(TRUTH_VALUES)], rng, pool)


def draw_entailment(family: EntailmentFamily, answer: TruthValue, rng: Random, pool: Pool) -> Problem:
    """A problem of this family with this answer, in words of this pool; its id is empty.

    All pools share one short list of words, which a small model can learn. No combination of kinds and name of a
    family occurs in two pools.

    Raises:
        ValueError: the family is held out from this pool.
        DataError: the pool has no fitting words for this family.
    """
    pool.check(family)
    argument = family.arguments[answer]
    style = rng.randrange(STYLE_COUNT)
    words = _draw_words(family, argument, rng, pool)
    sentences = rng.sample(argument.premises, len(argument.premises))
    return Problem(
        id="",
        task=TASK,
        question=entailment_question(
            [_word_sentence(sentence, words, style) for sentence in sentences],
            _word_sentence(argument.statement, words, style),
        ),
        answer=answer,
        solution=entailment_gold_chain(
            [_sentence_formula(sentence, words) for sentence in sentences],
            _sentence_formula(argument.statement, words),
            answer,
        ),
        source=SOURCE,
        group=f"{family.name}/{style}",
        split=pool.split,
    )


def _draw_words(family: EntailmentFamily, argument: Argument, rng: Random, pool: Pool) -> dict[str, str]:
    for _ in range(MAX_TRIES):
        kinds, name = rng.sample(range(len(KINDS)), 3), rng.randrange(len(NAMES))
        used_kinds = [kind for slot, kind in zip("ABC", kinds, strict=True) if slot in argument.kinds]
        if pool.contains(family.name, [*used_kinds, len(KINDS) + name]):
            return {**dict(zip("ABC", (KINDS[kind] for kind in kinds), strict=True)), "n": NAMES[name]}
    raise DataError(f"family {family.name}: no words for the {pool.split} split in {MAX_TRIES:,} tries")


def _slot_words(sentence: Sentence, words: Mapping[str, str]) -> dict[str, str]:
    """The words for a form's slots: the sentence's first kind is {A}, its second kind is {B}."""
    return {"n": words["n"], **{slot: words[kind] for slot, kind in zip("AB", sentence[1:], strict=False)}}


def _word_sentence(sentence: Sentence, words: Mapping[str, str], style: int) -> str:
    return WORDINGS[sentence[0]][style].format(**_slot_words(sentence, words))


def _sentence_formula(sentence: Sentence, words: Mapping[str, str]) -> Formula:
    slots = _slot_words(sentence, words)
    kinds = {slot: word.capitalize() for slot, word in slots.items() if slot != "n"}
    return parse_formula(FORMULAS[sentence[0]].format(**kinds, n=slots["n"].lower()))
