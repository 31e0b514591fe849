"""Lessons in entailment for the embedded student."""

from functools import partial
from random import Random

from callwright.records import Problem
from callwright.tasks.entailment.synthetic import FAMILIES, TRUTH_VALUES, EntailmentFamily, draw_entailment
from callwright.tasks.parts import TaskLessons
from callwright.tasks.synthetic import POOLS


def _draw(family: EntailmentFamily, rng: Random) -> Problem:
    return draw_entailment(family, rng.choice(TRUTH_VALUES), rng, POOLS["lessons"])


LESSONS = TaskLessons(
    problem_drawers=[partial(_draw, family) for family in FAMILIES.values()],
    careless_mistakes={"skipped_step": 1.0},
)
