"""Synthetic translation problems for every split."""

from collections.abc import Mapping
from random import Random

from callwright.problems.sentences import TASK
from callwright.problems.source import Sourced
from callwright.problems.synthetic.draw import SOURCE
from callwright.problems.synthetic.pool import Pool
from callwright.problems.synthetic.spread import spread
from callwright.problems.synthetic_logic.translation_families import FAMILIES
from callwright.problems.synthetic_logic.translation_family import Family, draw
from callwright.records import Problem, Split


def translation_problems(counts: Mapping[Split, int], held_out_test: int, seed: int) -> Sourced:
    """Problems with ids like "synthetic/translation/train/000123" (see `spread`).

    Questions cannot repeat between pools: a family's words differ; nor between families, whose wordings do.
    """
    return spread(list(FAMILIES.values()), _draw, counts, held_out_test, seed, f"{SOURCE}/{TASK}")


def _draw(family: Family, _: int, rng: Random, pool: Pool) -> Problem:
    return draw(family, rng, pool)
