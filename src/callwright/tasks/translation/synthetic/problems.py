"""Synthetic translation problems for every split."""

from collections.abc import Mapping
from random import Random

from callwright.records import Problem, Split
from callwright.tasks.synthetic import SOURCE, Pool, spread
from callwright.tasks.translation.questions import TASK
from callwright.tasks.translation.synthetic.families import FAMILIES
from callwright.tasks.translation.synthetic.family import TranslationFamily, draw


def translation_problems(counts: Mapping[Split, int], held_out_test: int, seed: int) -> list[Problem]:
    """Problems with ids like "synthetic/translation/train/000123" (see `spread`).

    Questions cannot repeat between pools: a family's words differ; nor between families, whose wordings do.
    """
    return spread(list(FAMILIES.values()), _draw, counts, held_out_test, seed, f"{SOURCE}/{TASK}")


def _draw(family: TranslationFamily, _: int, rng: Random, pool: Pool) -> Problem:
    return draw(family, rng, pool)
