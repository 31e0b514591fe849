"""Lessons in words for the embedded student."""

from functools import partial

from callwright.tasks.parts import TaskLessons
from callwright.tasks.synthetic import POOLS
from tests.tasks.words.synthetic import FAMILIES, draw

LESSONS = TaskLessons(
    problem_drawers=[partial(draw, family, 0, pool=POOLS["lessons"]) for family in FAMILIES],
    careless_mistakes={"unknown_function": 1.0},
)
