"""Synthetic arithmetic problems: all families, one problem of a family, and problems for every split."""

from collections.abc import Mapping
from random import Random

from callwright.errors import DataError
from callwright.records import Call, Problem, Split
from callwright.tasks.arithmetic.synthetic import few_steps, held_out, many_steps
from callwright.tasks.arithmetic.synthetic.family import ArithmeticFamily, draw_things
from callwright.tasks.synthetic import SOURCE, Pool, draw_from_families

FAMILIES: dict[str, ArithmeticFamily] = {
    family.name: family for family in (*few_steps.ALL, *many_steps.ALL, *held_out.ALL)
}
MAX_TRIES = 200_000  # draws of numbers; the rarest family needs a few hundred in the smallest pool


def draw_arithmetic(family: ArithmeticFamily, rng: Random, pool: Pool) -> Problem:
    """A problem of this family with people and numbers of this pool; its id is empty.

    Raises:
        ValueError: the family is held out from this pool.
        DataError: the pool has no fitting numbers for this family.
    """
    pool.check(family)
    wording = rng.randrange(len(family.wordings))
    person, friend = rng.sample(pool.people, 2)
    words = draw_things(rng)
    numbers, solution = _draw_numbers(family, rng, pool)
    question = family.wordings[wording].format(
        **numbers,
        **words,
        name=person.name,
        they=person.they,
        their=person.their,
        They=person.they.capitalize(),
        friend=friend.name,
    )
    return Problem(
        id="",
        task="arithmetic",
        question=question,
        answer=str(solution[-1].arguments["value"]),
        solution=solution,
        source=SOURCE,
        group=f"{family.name}/{wording}",
        split=pool.split,
    )


def _draw_numbers(family: ArithmeticFamily, rng: Random, pool: Pool) -> tuple[dict[str, int], tuple[Call, ...]]:
    for _ in range(MAX_TRIES):
        numbers = {name: rng.choice(values) for name, values in family.operands.items()}
        if not pool.contains(family.name, numbers.values()):
            continue
        solution = family.solve(numbers)
        if solution is not None:
            return numbers, solution
    raise DataError(f"family {family.name}: no numbers for the {pool.split} split in {MAX_TRIES:,} tries")


def synthetic_problems(counts: Mapping[Split, int], held_out_test: int, seed: int) -> list[Problem]:
    """Problems with ids like "synthetic/train/000123" (see `draw_from_families`).

    No question occurs in two pools or families, as the people, the numbers or the situation differ.
    """
    return draw_from_families(list(FAMILIES.values()), _draw, counts, held_out_test, seed, SOURCE)


def _draw(family: ArithmeticFamily, _: int, rng: Random, pool: Pool) -> Problem:
    return draw_arithmetic(family, rng, pool)
