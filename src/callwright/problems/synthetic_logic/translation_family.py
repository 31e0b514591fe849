"""A family of sentences: its formula, and how it can be worded. And drawing one problem of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from callwright.errors import DataError
from callwright.functions.formula import read_formula
from callwright.problems.sentences import TASK, translation_problem
from callwright.problems.synthetic.draw import SOURCE
from callwright.problems.synthetic.pool import Pool
from callwright.problems.synthetic_logic.words import BY_KIND, Kind, Word
from callwright.records import Problem

MAX_TRIES = 10_000  # of words; the smallest pool holds 7 of 100 combinations

SLOTS: dict[str, Kind] = {
    **dict.fromkeys(("noun", "other_noun"), "noun"),
    **dict.fromkeys(("adjective", "other_adjective"), "adjective"),
    **dict.fromkeys(("name", "other_name"), "name"),
    "verb": "verb",
}


@dataclass(frozen=True, eq=False)
class Family:
    """One thing to say, in several ways.

    Attributes:
        formula: with the symbols of words in its {slots} (keys of SLOTS).
        wordings: sentences with the same slots, in the forms of `Word`: {noun} {noun.one} {noun.many} {verb.base}.
        held_out: of the splits, occurs in the test alone.
    """

    name: str
    formula: str
    wordings: tuple[str, ...]
    held_out: bool = False

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots of the formula."""
        return tuple(slot for slot in SLOTS if f"{{{slot}}}" in self.formula)


def draw(family: Family, rng: Random, pool: Pool) -> Problem:
    """A problem of this family with words whose combination belongs to this pool; its id is empty.

    Raises:
        ValueError: the family is held out from the pool.
        DataError: the pool has no fitting words.
    """
    if family.held_out and not pool.held_out:
        raise ValueError(f"{family.name} is held out from the {pool.split} split")
    wording = rng.randrange(len(family.wordings))
    words = _draw_words(family, rng, pool)
    sentence = family.wordings[wording].format(**words)
    symbols = {slot: word.symbol for slot, word in words.items()}
    return translation_problem(
        sentence[0].upper() + sentence[1:],
        read_formula(family.formula.format(**symbols)),
        SOURCE,
        f"{TASK}/{family.name}/{wording}",
        pool.split,
    )


def _draw_words(family: Family, rng: Random, pool: Pool) -> Mapping[str, Word]:
    for _ in range(MAX_TRIES):
        words = {slot: rng.choice(BY_KIND[SLOTS[slot]]) for slot in family.slots}
        places = {word.place for word in words.values()}
        if len(places) == len(words) and pool.holds(f"{TASK}/{family.name}", places):
            return words
    raise DataError(f"family {family.name}: no words for the {pool.split} split in {MAX_TRIES:,} tries")
