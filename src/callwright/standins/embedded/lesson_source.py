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
_DRAWS = 4  # times as many lessons are drawn to get lessons that need the same few functions
_FUNCTIONS_AT_START, _MORE_FUNCTIONS = 2, 8  # functions that a group's lessons need, at difficulty 0 and besides at 1
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
            needed = {name for _, steps in lessons for name in _called(steps)}
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
        """Lessons of similar length that need few different functions together, the fewer the lower the difficulty."""
        rows = self._recipe.rows
        most = _FUNCTIONS_AT_START + int(stage.difficulty * _MORE_FUNCTIONS)
        needed: set[str] = set()
        chosen: list[tuple[str, tuple[Step, ...]]] = []
        for _ in range(rows * _LENGTHS * _DRAWS):
            lesson = self._steps(rng.choice(self._lessons[task]), stage, rng)
            functions = needed | _called(lesson[1])
            if not chosen or len(functions) <= max(most, len(needed)):
                chosen.append(lesson)
                needed = functions
            if len(chosen) == rows * _LENGTHS:
                break
        chosen.sort(key=lambda lesson: (len(lesson[1]), len(lesson[0])))
        rows = min(rows, len(chosen))
        shortest = rng.random() < _SHORTEST_SHARE * (1 - stage.difficulty)
        start = 0 if shortest else rng.randrange(len(chosen) // rows) * rows
        return chosen[start : start + rows]

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


def _called(steps: Sequence[Step]) -> set[str]:
    return {step.call.name for step in steps if step.call} - {ANSWER}
