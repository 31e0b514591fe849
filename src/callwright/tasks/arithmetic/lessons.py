"""Lessons in arithmetic for the embedded student."""

from functools import partial

from callwright.tasks.arithmetic.synthetic.families import FAMILIES
from callwright.tasks.arithmetic.synthetic.problems import draw_arithmetic
from callwright.tasks.parts import TaskLessons
from callwright.tasks.synthetic import POOLS

LESSONS = TaskLessons(
    problem_drawers=[partial(draw_arithmetic, family, pool=POOLS["lessons"]) for family in FAMILIES.values()],
    careless_mistakes={"skipped_step": 0.8, "wrong_function": 0.2},
)
