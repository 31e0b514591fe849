"""Synthetic arithmetic problems: one problem of a family, and problems for every split."""

from collections.abc import Mapping
from fractions import Fraction
from random import Random

from callwright.errors import DataError
from callwright.functions.numbers import as_argument
from callwright.functions.toolbox import ANSWER
from callwright.records import Call, Problem, Split
from callwright.tasks.arithmetic.synthetic.families import FAMILIES
from callwright.tasks.arithmetic.synthetic.family import ArithmeticFamily, tell
from callwright.tasks.synthetic import SOURCE, Pool, draw_from_families

MAX_TRIES = 20_000  # draws of a story; the rarest family needs a few hundred in the smallest pool


def draw_arithmetic(family: ArithmeticFamily, rng: Random, pool: Pool) -> Problem:
    """A problem of this family with people and numbers of this pool; its id is empty.

    Raises:
        ValueError: the family is held out from this pool.
        DataError: the pool has no fitting numbers for this family.
    """
    pool.check(family)
    for _ in range(MAX_TRIES):
        story = family.draw_story(rng)
        if story is None or not pool.contains(family.name, [n for drawn in story for n in drawn.numbers.values()]):
            continue
        question = tell(story, rng.choice(pool.people), rng)
        if question is None:
            continue
        answer = as_argument(Fraction(story[-1].quantity))
        return Problem(
            id="",
            task="arithmetic",
            question=question,
            answer=str(answer),
            solution=(*(call for drawn in story for call in drawn.gold_calls()), Call(ANSWER, {"value": answer})),
            source=SOURCE,
            group=family.name,
            split=pool.split,
        )
    raise DataError(f"family {family.name}: no numbers for the {pool.split} split in {MAX_TRIES:,} tries")


def synthetic_problems(counts: Mapping[Split, int], held_out_test: int, seed: int) -> list[Problem]:
    """Problems with ids like "synthetic/train/000123" (see `draw_from_families`).

    No question occurs in two pools or families, as the people, the numbers or the clauses differ.
    """
    return draw_from_families(list(FAMILIES.values()), _draw, counts, held_out_test, seed, SOURCE)


def _draw(family: ArithmeticFamily, _: int, rng: Random, pool: Pool) -> Problem:
    return draw_arithmetic(family, rng, pool)
