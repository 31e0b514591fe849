"""Lessons in translation for the embedded student."""

from functools import partial

from callwright.tasks.parts import TaskLessons
from callwright.tasks.synthetic import POOLS
from callwright.tasks.translation.synthetic.families import FAMILIES
from callwright.tasks.translation.synthetic.problems import draw_translation

LESSONS = TaskLessons(
    problem_drawers=[partial(draw_translation, family, pool=POOLS["lessons"]) for family in FAMILIES.values()],
    careless_mistakes={"skipped_step": 0.8, "wrong_function": 0.2},
)
