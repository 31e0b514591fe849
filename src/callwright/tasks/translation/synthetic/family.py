"""A family of sentences: its formula, and how it can be worded. And drawing one problem of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from callwright.errors import DataError
from callwright.functions.formulas.formula import read_formula
from callwright.records import Problem
from callwright.tasks.synthetic import SOURCE, Pool
from callwright.tasks.translation.questions import TASK, translation_problem

WordClass = Literal["noun", "adjective", "name", "verb"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word in the forms that wordings and formulas need.

    Its text is `dog`, `kind`, `Ann` or `likes`; `place` is its place in the list.
    """

    text: str
    kind: WordClass
    place: int

    def __str__(self) -> str:
        return self.text

    @property
    def one(self) -> str:
        """A noun or an adjective with its article: `a dog`, `an actor`."""
        return f"{'an' if self.text[0] in 'aeiou' else 'a'} {self.text}"

    @property
    def many(self) -> str:
        """A noun's plural."""
        return f"{self.text}s"

    @property
    def base(self) -> str:
        """A verb as it stands after `all dogs`: `like`."""
        return self.text.removesuffix("s")

    @property
    def symbol(self) -> str:
        """A name's constant (`ann`), another word's predicate (`Dog`, `Likes`)."""
        return self.text.lower() if self.kind == "name" else self.text.capitalize()


_WORD_TEXTS: dict[WordClass, str] = {
    "noun": "actor artist baker cat cook dancer doctor dog driver farmer guard horse king nurse painter parrot pilot "
    "poet robot sailor singer student teacher tiger",
    "adjective": "brave calm clever fast gentle happy kind loud proud quiet rich strong",
    "name": "Ann Ben Carl Dora Emma Fred Gina Hugo Ivan Jack Kate Leo Mary Nora Paul Rosa",
    "verb": "follows helps knows likes sees trusts",
}
WORDS: tuple[Word, ...] = tuple(
    Word(text, kind, place)
    for place, (text, kind) in enumerate((text, kind) for kind, texts in _WORD_TEXTS.items() for text in texts.split())
)
WORDS_BY_CLASS: dict[WordClass, tuple[Word, ...]] = {
    kind: tuple(word for word in WORDS if word.kind == kind) for kind in _WORD_TEXTS
}


MAX_TRIES = 10_000  # of words; the smallest pool holds 7 of 100 combinations

SLOTS: dict[str, WordClass] = {
    **dict.fromkeys(("noun", "other_noun"), "noun"),
    **dict.fromkeys(("adjective", "other_adjective"), "adjective"),
    **dict.fromkeys(("name", "other_name"), "name"),
    "verb": "verb",
}


@dataclass(frozen=True, eq=False)
class TranslationFamily:
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


def draw(family: TranslationFamily, rng: Random, pool: Pool) -> Problem:
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


def _draw_words(family: TranslationFamily, rng: Random, pool: Pool) -> Mapping[str, Word]:
    for _ in range(MAX_TRIES):
        words = {slot: rng.choice(WORDS_BY_CLASS[SLOTS[slot]]) for slot in family.slots}
        places = {word.place for word in words.values()}
        if len(places) == len(words) and pool.contains(f"{TASK}/{family.name}", places):
            return words
    raise DataError(f"family {family.name}: no words for the {pool.split} split in {MAX_TRIES:,} tries")
