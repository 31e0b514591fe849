"""Synthetic entailment problems: two or three short premises about made-up kinds, and a statement."""

from collections.abc import Mapping
from random import Random
from typing import get_args

from callwright.errors import DataError
from callwright.functions.formulas.formula import Formula, parse_formula
from callwright.records import Problem, Split
from callwright.tasks.entailment.functions import TruthValue
from callwright.tasks.entailment.questions import TASK, entailment_gold_chain, entailment_question
from callwright.tasks.entailment.synthetic.syllogisms import (
    FAMILIES,
    FORMULAS,
    KINDS,
    NAMES,
    STYLE_COUNT,
    WORDINGS,
    Argument,
    EntailmentFamily,
    Sentence,
)
from callwright.tasks.synthetic import SOURCE, Pool, draw_from_families

TRUTH_VALUES: tuple[TruthValue, ...] = get_args(TruthValue)
MAX_TRIES = 10_000  # draws of words


def entailment_problems(counts: Mapping[Split, int], held_out_test: int, seed: int) -> list[Problem]:
    """Problems with ids like "synthetic/entailment/train/000123" (see `draw_from_families`).

    The problems of a family cycle through the answers True, False and Unknown.
    """
    return draw_from_families(list(FAMILIES.values()), _draw, counts, held_out_test, seed, f"{SOURCE}/{TASK}")


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
