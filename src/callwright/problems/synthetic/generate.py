"""Synthetic word problems for every split."""

from collections.abc import Mapping
from random import Random

from callwright.problems.source import Sourced
from callwright.problems.synthetic.catalogue import FAMILIES
from callwright.problems.synthetic.draw import SOURCE, draw
from callwright.problems.synthetic.family import Family
from callwright.problems.synthetic.pool import Pool
from callwright.problems.synthetic.spread import spread
from callwright.records import Problem, Split


def synthetic_problems(counts: Mapping[Split, int], held_out_test: int, seed: int) -> Sourced:
    """Problems with ids like "synthetic/train/000123" (see `spread`).

    Questions cannot repeat between pools or families: people or numbers differ, or the situation does.
    """
    return spread(list(FAMILIES.values()), _draw, counts, held_out_test, seed, SOURCE)


def _draw(family: Family, _: int, rng: Random, pool: Pool) -> Problem:
    return draw(family, rng, pool)
