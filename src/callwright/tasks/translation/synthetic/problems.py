"""Synthetic translation problems: one problem of a family, and problems for every split."""

from collections.abc import Mapping
from random import Random

from callwright.errors import DataError
from callwright.functions.formulas.formula import read_formula
from callwright.records import Problem, Split
from callwright.tasks.synthetic import SOURCE, Pool, draw_from_families
from callwright.tasks.translation.questions import TASK, translation_problem
from callwright.tasks.translation.synthetic.families import FAMILIES
from callwright.tasks.translation.synthetic.family import SLOTS, WORDS_BY_CLASS, TranslationFamily, Word

MAX_TRIES = 10_000  # draws of words; the smallest pool has 7 of 100 combinations


def draw_translation(family: TranslationFamily, rng: Random, pool: Pool) -> Problem:
    """A problem of this family with words whose combination belongs to this pool; its id is empty.

    Raises:
        ValueError: the family is held out from the pool.
        DataError: the pool has no fitting words.
    """
    pool.check(family)
    words = _draw_words(family, rng, pool)
    phrases = family.condition.phrases(rng.randrange(len(family.condition.wordings)), words)
    sentence = rng.choice(family.frame.wordings).format(**words, **phrases)
    symbols = {slot: word.symbol for slot, word in words.items()}
    return translation_problem(
        sentence,
        read_formula(family.formula.format(**symbols)),
        SOURCE,
        f"{TASK}/{family.name}",
        pool.split,
    )


def _draw_words(family: TranslationFamily, rng: Random, pool: Pool) -> Mapping[str, Word]:
    for _ in range(MAX_TRIES):
        words = {slot: rng.choice(WORDS_BY_CLASS[SLOTS[slot]]) for slot in family.slots}
        indices = {word.index for word in words.values()}
        if len(indices) == len(words) and pool.contains(f"{TASK}/{family.name}", indices):
            return words
    raise DataError(f"family {family.name}: no words for the {pool.split} split in {MAX_TRIES:,} tries")


def translation_problems(counts: Mapping[Split, int], held_out_test: int, seed: int) -> list[Problem]:
    """Problems with ids like "synthetic/translation/train/000123" (see `draw_from_families`).

    No question occurs in two pools, as a family's words differ, or in two families, as their wordings differ.
    """
    return draw_from_families(list(FAMILIES.values()), _draw, counts, held_out_test, seed, f"{SOURCE}/{TASK}")


def _draw(family: TranslationFamily, _: int, rng: Random, pool: Pool) -> Problem:
    return draw_translation(family, rng, pool)
