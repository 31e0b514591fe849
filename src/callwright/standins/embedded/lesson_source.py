"""What the embedded student reads in each step: groups of lessons of one task in one view, or without a prompt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from callwright.functions.toolbox import ANSWER
from callwright.records import Step
from callwright.standins.embedded.encode import LessonEncoder
from callwright.standins.embedded.lesson_views import draw_lesson_view, draw_names
from callwright.standins.embedded.lessons import Lesson
from callwright.standins.embedded.network import Group
from callwright.standins.embedded.recipe import BuildRecipe
from callwright.tasks import Tasks
from callwright.tasks.synthetic import BUCKET_COUNT, hash_to_bucket

MAX_PROMPT_TOKENS = 800
_LENGTHS = 3  # groups are a third of so many lessons, of similar length, so that rows need little padding
_SHORTEST_SHARE = 0.6  # of the groups at difficulty 0: the shortest third


@dataclass(frozen=True, slots=True)
class Stage:
    """How far the training is.

    Attributes:
        bare: whether only lessons without a prompt are read.
        careless: whether careless lessons are read too.
        difficulty: of the views, 0 to 1.
    """

    bare: bool
    careless: bool
    difficulty: float


class LessonSource:
    """Draws groups; equal random numbers give equal groups.

    Args:
        lessons: of each task in the recipe.
    """

    def __init__(
        self, lessons: Mapping[str, Sequence[Lesson]], tasks: Tasks, encoder: LessonEncoder, recipe: BuildRecipe
    ) -> None:
        self._lessons, self._tasks, self._encoder, self._recipe = lessons, tasks, encoder, recipe

    def draw(self, stage: Stage, rng: Random) -> tuple[Group, bool]:
        """A group, and whether its names are new or exchanged."""
        recipe = self._recipe
        bare_share = max(recipe.least_bare_share, recipe.bare_share * (1 - stage.difficulty))
        if stage.bare or rng.random() < bare_share:
            return self._bare_group(stage, rng), False
        while True:
            task = self._tasks[self._draw_task(rng)]
            lessons = self._draw_similar(task.name, stage, rng)
            needed = {step.call.name for _, steps in lessons for step in steps if step.call} - {ANSWER}
            needed = {name for name in needed if name in task.toolbox.functions}
            view, is_new = draw_lesson_view(task, needed, self._encoder.short_names, stage.difficulty, recipe, rng)
            group = self._encoder.group(task, view, lessons)
            if len(group.prompt) <= MAX_PROMPT_TOKENS:
                return group, is_new

    def head_weight(self, stage: Stage) -> float:
        """Loss weight of the supervised heads."""
        return self._recipe.head_weight * max(0.1, 1 - stage.difficulty)

    def _bare_group(self, stage: Stage, rng: Random) -> Group:
        names = [self._draw_task(rng) for _ in range(self._recipe.bare_rows)]
        return self._encoder.bare_group(
            [(self._tasks[name], *self._steps(rng.choice(self._lessons[name]), stage, rng)) for name in names],
            [draw_names(self._encoder.short_names, rng) for _ in range(self._recipe.copy_rows)],
        )

    def _draw_task(self, rng: Random) -> str:
        return rng.choices(list(self._recipe.tasks), list(self._recipe.tasks.values()))[0]

    def _draw_similar(self, task: str, stage: Stage, rng: Random) -> list[tuple[str, tuple[Step, ...]]]:
        rows = self._recipe.rows
        lessons = [self._steps(rng.choice(self._lessons[task]), stage, rng) for _ in range(rows * _LENGTHS)]
        lessons.sort(key=lambda lesson: (len(lesson[1]), len(lesson[0])))
        shortest = rng.random() < _SHORTEST_SHARE * (1 - stage.difficulty)
        start = 0 if shortest else rng.randrange(_LENGTHS) * rows
        return lessons[start : start + rows]

    def _steps(self, lesson: Lesson, stage: Stage, rng: Random) -> tuple[str, tuple[Step, ...]]:
        if stage.careless and lesson.careless is not None and self._is_careless(lesson.group):
            careless = rng.random() < self._recipe.careless_share
            return lesson.question, lesson.careless if careless else lesson.careful
        return lesson.question, lesson.careful

    def _is_careless(self, group: str) -> bool:
        """Whether the model becomes careless in a group of problems. A share below 1 of all lessons would not do:

        greedy decoding takes the likelier of "go on" and one of several mistakes, so the model would stay careful.
        """
        return hash_to_bucket(group, ()) < BUCKET_COUNT * self._recipe.careless_groups
