"""Synthetic entailment problems: two or three short premises about made-up kinds, and a statement."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import get_args

from callwright.errors import DataError
from callwright.functions.assumptions import TruthValue
from callwright.functions.formula import Formula, parse_formula
from callwright.problems.premises import TASK, entailment_chain, entailment_question
from callwright.problems.source import Sourced
from callwright.problems.synthetic.pool import POOLS, Pool
from callwright.problems.synthetic_logic.syllogisms import (
    FAMILIES,
    FORMULAS,
    KINDS,
    NAMES,
    STYLES,
    WORDINGS,
    Argument,
    Sentence,
    Syllogism,
)
from callwright.records import Problem, Split

SOURCE = "synthetic"
ANSWERS: tuple[TruthValue, ...] = get_args(TruthValue)
MAX_TRIES = 10_000  # of words that belong to a pool, and of questions that were not drawn before


def entailment_problems(counts: Mapping[Split, int], held_out_test: int, seed: int) -> Sourced:
    """Problems with ids like "synthetic/entailment/train/000123", no question twice, answers in turn.

    Each family has its own stream of random numbers, so a larger count adds problems and changes none.

    Args:
        counts: problems of the seen families, by split; a split that is missing gets none.
        held_out_test: further test problems, of the held-out families.
        seed: the same seed gives the same problems on any machine.

    Raises:
        DataError: a family has no more distinct questions.
    """
    seen = [family for family in FAMILIES.values() if not family.held_out]
    held_out = [family for family in FAMILIES.values() if family.held_out]
    sourced = Sourced()
    for split, count in counts.items():
        sourced.problems += _numbered(split, _round_robin(seen, count, POOLS[split], seed))
    done = counts.get("test", 0)
    sourced.problems += _numbered("test", _round_robin(held_out, held_out_test, POOLS["test"], seed), start=done)
    return sourced


def draw_entailment(family: Syllogism, answer: TruthValue, rng: Random, pool: Pool) -> Problem:
    """A problem of this family with this answer, in words of this pool; its id is empty.

    All pools share one short list of words, which a small model can learn; no family's choice of kinds and name occurs
    in two pools.

    Raises:
        ValueError: the family is held out from this pool.
        DataError: the pool has no fitting words for this family.
    """
    if family.held_out and not pool.held_out:
        raise ValueError(f"{family.name} is held out from the {pool.split} split")
    argument = family.arguments[answer]
    style = rng.randrange(STYLES)
    words = _draw_words(family, argument, rng, pool)
    sentences = rng.sample(argument.premises, len(argument.premises))
    return Problem(
        id="",
        task=TASK,
        question=entailment_question(
            [_worded(sentence, words, style) for sentence in sentences], _worded(argument.statement, words, style)
        ),
        answer=answer,
        solution=entailment_chain(
            [_formula(sentence, words) for sentence in sentences], _formula(argument.statement, words), answer
        ),
        source=SOURCE,
        group=f"{family.name}/{style}",
        split=pool.split,
    )


def _draw_words(family: Syllogism, argument: Argument, rng: Random, pool: Pool) -> dict[str, str]:
    for _ in range(MAX_TRIES):
        kinds, name = rng.sample(range(len(KINDS)), 3), rng.randrange(len(NAMES))
        said = [kind for place, kind in zip("ABC", kinds, strict=True) if place in argument.kinds]
        if pool.holds(family.name, [*said, len(KINDS) + name]):
            return {**dict(zip("ABC", (KINDS[kind] for kind in kinds), strict=True)), "n": NAMES[name]}
    raise DataError(f"family {family.name}: no words for the {pool.split} split in {MAX_TRIES:,} tries")


def _slots(sentence: Sentence, words: Mapping[str, str]) -> dict[str, str]:
    """What stands in the places of a form: its first kind is its {A}, its second its {B}."""
    return {"n": words["n"], **{place: words[kind] for place, kind in zip("AB", sentence[1:], strict=False)}}


def _worded(sentence: Sentence, words: Mapping[str, str], style: int) -> str:
    return WORDINGS[sentence[0]][style].format(**_slots(sentence, words))


def _formula(sentence: Sentence, words: Mapping[str, str]) -> Formula:
    slots = _slots(sentence, words)
    kinds = {place: word.capitalize() for place, word in slots.items() if place != "n"}
    return parse_formula(FORMULAS[sentence[0]].format(**kinds, n=slots["n"].lower()))


def _numbered(split: Split, problems: Sequence[Problem], start: int = 0) -> list[Problem]:
    return [
        replace(problem, id=f"{SOURCE}/{TASK}/{split}/{place:06d}") for place, problem in enumerate(problems, start)
    ]


def _round_robin(families: Sequence[Syllogism], count: int, pool: Pool, seed: int) -> list[Problem]:
    """Families in turn, and the answers in turn within each."""
    streams = [Random(f"{seed}/{pool.split}/{family.name}") for family in families]
    questions: set[str] = set()
    problems = []
    for place in range(count):
        round_, turn = divmod(place, len(families))
        problem = _draw_new(families[turn], ANSWERS[round_ % len(ANSWERS)], streams[turn], pool, questions)
        questions.add(problem.question)
        problems.append(problem)
    return problems


def _draw_new(family: Syllogism, answer: TruthValue, rng: Random, pool: Pool, questions: set[str]) -> Problem:
    for _ in range(MAX_TRIES):
        problem = draw_entailment(family, answer, rng, pool)
        if problem.question not in questions:
            return problem
    raise DataError(f"family {family.name}: no more distinct questions for the {pool.split} split; lower its count")
