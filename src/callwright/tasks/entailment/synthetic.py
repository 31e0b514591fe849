"""Synthetic entailment problems: two to five short premises about made-up kinds, and a statement.

A family is a chain of one to three steps. Each step is a rule that leads from what is known of one kind to the next
kind: from `Rex is a fep`, with `every fep is a kif`, to `Rex is a kif`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeAlias, get_args

from callwright.errors import DataError
from callwright.records import Problem, Split
from callwright.tasks.entailment.functions import TruthValue
from callwright.tasks.entailment.names import NAMES
from callwright.tasks.entailment.questions import TASK, assume_and_ask, entailment_question
from callwright.tasks.parts import SyntheticProblems
from callwright.tasks.synthetic import SOURCE, Pool, draw_from_families

KINDS = ("blick", "drob", "fep", "gorp", "kif", "lorp", "mib", "nonk", "pim", "rill", "sot", "tove", "vug", "wump")
TRUTH_VALUES: tuple[TruthValue, ...] = get_args(TruthValue)

Sentence: TypeAlias = tuple[str, ...]
"""A form, then the slots of its words: kinds "A" to "H", names "m" and "n"."""


FORMULAS: Mapping[str, str] = {  # of each form, with numbers for the slots of the sentence
    "is": "{1}({0})",
    "is not": "not {1}({0})",
    "every": "all x. ({0}(x) -> {1}(x))",
    "no": "all x. ({0}(x) -> not {1}(x))",
    "both": "all x. (({0}(x) and {1}(x)) -> {2}(x))",
    "if": "{1}({0}) -> {2}({0})",
    "or": "{1}({0}) or {2}({0})",
    "xor": "{1}({0}) xor {2}({0})",
}
WORDINGS: Mapping[str, tuple[str, ...]] = {
    "is": ("{0} is a {1}.", "{0} is one of the {1}s.", "{0} belongs to the {1}s.", "One of the {1}s is {0}."),
    "is not": (
        "{0} is not a {1}.",
        "{0} is no {1}.",
        "{0} is not one of the {1}s.",
        "{0} does not belong to the {1}s.",
    ),
    "every": ("Every {0} is a {1}.", "Each {0} is a {1}.", "All {0}s are {1}s.", "If something is a {0}, it is a {1}."),
    "no": ("No {0} is a {1}.", "No {0}s are {1}s.", "A {0} is never a {1}.", "If something is a {0}, it is not a {1}."),
    "both": (
        "Everything that is a {0} and a {1} is a {2}.",
        "Anything that is both a {0} and a {1} is a {2}.",
        "Every {0} that is a {1} is a {2}.",
        "If something is a {0} and a {1}, it is a {2}.",
    ),
    "if": (
        *("If {0} is a {1}, then {0} is a {2}.", "If {0} is a {1}, {0} is a {2}."),
        *("{0} is a {2} if {0} is a {1}.", "Whenever {0} is a {1}, {0} is a {2}."),
    ),
    "or": (
        *("{0} is a {1} or a {2} or both.", "{0} is a {1} or {0} is a {2} or both."),
        *("{0} is a {1} and/or a {2}.", "{0} is at least one of a {1} and a {2}."),
    ),
    "xor": (
        *("{0} is a {1} or a {2}, but not both.", "{0} is either a {1} or a {2}, but not both."),
        *("Either {0} is a {1} or {0} is a {2}, but not both.", "{0} is exactly one of a {1} and a {2}."),
    ),
}
NEGATED: Mapping[str, str] = {"is": "is not", "is not": "is"}


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an argument, from what is known of the kind "{0}" to the kind "{1}".

    Attributes:
        known, derived: the form of what is known, and of what follows.
        premises: the rule, and a further fact about the kind "E" if the rule needs it.
    """

    known: Literal["is", "is not"]
    derived: Literal["is", "is not"]
    premises: tuple[Sentence, ...]


STEPS: Mapping[str, Step] = {
    "every": Step("is", "is", (("every", "{0}", "{1}"),)),
    "backwards": Step("is not", "is not", (("every", "{1}", "{0}"),)),
    "no": Step("is", "is not", (("no", "{0}", "{1}"),)),
    "if": Step("is", "is", (("if", "n", "{0}", "{1}"),)),
    "or": Step("is not", "is", (("or", "n", "{0}", "{1}"),)),
    "xor": Step("is", "is not", (("xor", "n", "{0}", "{1}"),)),
    "both": Step("is", "is", (("both", "{0}", "E", "{1}"), ("is", "n", "E"))),
}
CHAIN_KINDS = "ABCD"
MAX_PREMISES = 5  # two more calls follow, and one is left for a detour
NEEDLESS_SHARE = 0.25  # of problems with room for a needless premise
NEEDLESS: tuple[Sentence, ...] = (
    ("is", "m", "G"),
    ("is not", "n", "G"),
    ("every", "G", "H"),
    ("every", "A", "G"),
    ("every", "G", "A"),
    ("no", "G", "A"),
)
"""Premises that change nothing: the kinds "G" and "H" occur in no other sentence."""


@dataclass(frozen=True, eq=False)
class EntailmentFamily:
    """Arguments of the same steps, for every answer.

    Attributes:
        name: the names of its steps, with "+" between them.
        held_out: whether the family occurs in the test split only.
    """

    name: str
    held_out: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        """Each derives what the next step needs to know."""
        return tuple(STEPS[name] for name in self.name.split("+"))

    @property
    def rules(self) -> tuple[Sentence, ...]:
        """The premises of all steps."""
        return tuple(
            tuple(slot.format(*CHAIN_KINDS[index:]) for slot in premise)
            for index, step in enumerate(self.steps)
            for premise in step.premises
        )

    def facts(self, answer: TruthValue) -> tuple[Sentence, ...]:
        """The facts from which the steps may start. Those for Unknown lead nowhere."""
        known = self.steps[0].known
        if answer != "Unknown":
            return ((known, "n", "A"),)
        nowhere = ((known, "m", "A"), (known, "n", "F"), (NEGATED[known], "n", "A"))
        return nowhere[:2] if self.name == "xor" else nowhere  # its opposite fact leads on

    def statements(self, answer: TruthValue) -> tuple[Sentence, ...]:
        """The statements that have this answer: what follows from the steps, its opposite, or both."""
        derived, end = self.steps[-1].derived, ("n", CHAIN_KINDS[len(self.steps)])
        conclusion, opposite = (derived, *end), (NEGATED[derived], *end)
        return {"True": (conclusion,), "False": (opposite,), "Unknown": (conclusion, opposite)}[answer]


SEEN = (
    *("every", "backwards", "no", "if", "or", "xor", "both"),
    *("every+every", "every+no", "every+both", "if+if", "if+xor", "if+both", "both+every", "both+no"),
    *("no+backwards", "xor+or", "backwards+backwards", "or+every", "or+if", "or+xor"),
    *("every+every+every", "every+every+no", "every+no+backwards", "if+xor+or", "or+every+every", "or+if+xor"),
)
HELD_OUT = (
    *("every+if", "every+xor", "if+every", "if+no", "both+if", "both+xor"),
    *("no+or", "xor+backwards", "backwards+or", "or+no", "or+both"),
    *("every+no+or", "xor+or+every", "no+backwards+backwards", "if+if+xor"),
)
FAMILIES: dict[str, EntailmentFamily] = {
    name: EntailmentFamily(name, held_out) for names, held_out in ((SEEN, False), (HELD_OUT, True)) for name in names
}
"""By name. Each family has problems with all three answers, so the family does not reveal the answer."""

MAX_TRIES = 10_000  # draws of words


def entailment_problems(counts: Mapping[Split, int], held_out_test: int, seed: int) -> list[Problem]:
    """Problems with ids like "synthetic/entailment/train/000123" (see `draw_from_families`).

    The problems of a family cycle through the answers True, False and Unknown. Not all families start with True.
    """
    return draw_from_families(list(FAMILIES.values()), _draw, counts, held_out_test, seed, f"{SOURCE}/{TASK}")


SYNTHETIC = SyntheticProblems(entailment_problems)


def _draw(family: EntailmentFamily, drawn_before: int, rng: Random, pool: Pool) -> Problem:
    index = drawn_before + list(FAMILIES).index(family.name)
    return draw_entailment(family, TRUTH_VALUES[index % len(TRUTH_VALUES)], rng, pool)


def draw_entailment(family: EntailmentFamily, answer: TruthValue, rng: Random, pool: Pool) -> Problem:
    """A problem of this family with this answer, in words of this pool; its id is empty.

    The premises are in random order, each in a wording of its own. All pools share one short list of words, which a
    small model can learn. No combination of a family's kinds and name occurs in two pools. The solver is not asked:
    the tests check every argument.

    Raises:
        ValueError: the family is held out from this pool.
        DataError: the pool has no fitting words for this family.
    """
    pool.check(family)
    statement = rng.choice(family.statements(answer))
    premises = [rng.choice(family.facts(answer)), *family.rules]
    if len(premises) < MAX_PREMISES and rng.random() < NEEDLESS_SHARE:
        premises.append(rng.choice(NEEDLESS))
    rng.shuffle(premises)
    words = _draw_words(family, rng, pool)
    return Problem(
        id="",
        task=TASK,
        question=entailment_question(
            [_word_sentence(premise, words, rng) for premise in premises], _word_sentence(statement, words, rng)
        ),
        answer=answer,
        solution=assume_and_ask(
            [_sentence_formula(premise, words) for premise in premises], _sentence_formula(statement, words), answer
        ),
        source=SOURCE,
        group=f"{TASK}/{family.name}",
        split=pool.split,
    )


def _draw_words(family: EntailmentFamily, rng: Random, pool: Pool) -> dict[str, str]:
    """Slot -> word."""
    used = len(family.steps) + 1
    for _ in range(MAX_TRIES):
        kinds, names = rng.sample(range(len(KINDS)), 8), rng.sample(range(len(NAMES)), 2)
        if pool.contains(family.name, [*kinds[:used], len(KINDS) + names[0]]):
            slots_and_kinds = zip("ABCDEFGH", (KINDS[kind] for kind in kinds), strict=True)
            return {**dict(slots_and_kinds), "n": NAMES[names[0]], "m": NAMES[names[1]]}
    raise DataError(f"family {family.name}: no words for the {pool.split} split in {MAX_TRIES:,} tries")


def _word_sentence(sentence: Sentence, words: Mapping[str, str], rng: Random) -> str:
    form, *slots = sentence
    return rng.choice(WORDINGS[form]).format(*(words[slot] for slot in slots))


def _sentence_formula(sentence: Sentence, words: Mapping[str, str]) -> str:
    form, *slots = sentence
    symbols = (words[slot].lower() if slot in "mn" else words[slot].capitalize() for slot in slots)
    return FORMULAS[form].format(*symbols)
