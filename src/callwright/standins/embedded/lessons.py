"""Lessons of the embedded student: solved problems of every task, careful and careless.

Lessons have their own pool of people, numbers and words, in combinations that no split uses, so they share no problem
with the pipeline. They cover every family, including those held out from training, because a general model has read
about those too. Careless lessons answer too early, make an extra call or use a wrong function, as a general small model
does. They never use a wrong operand: preference training cannot repair a model that learned to copy wrongly
(docs/decisions/0003).

Lessons are kept under the functions' true names and are shown in many views (`callwright.tasks.view`).
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from callwright.agent.loop import ends_chain, execute_step
from callwright.agent.parsing.parse import parse_call
from callwright.agent.protocol import TEXT
from callwright.chat.model import Message
from callwright.errors import CallError, DataError
from callwright.records import Problem, Step
from callwright.standins.oracle.script import MISTAKES, Mistake, write_script
from callwright.tasks.task import Task
from callwright.tasks.task_sections import missing_part, part_errors_in_one_line
from callwright.tasks.view import PLAIN, View
from callwright.text import did_you_mean

SOLE_CALL = 2  # steps of a solution with one call: the call and the answer


@dataclass(frozen=True, slots=True)
class Lesson:
    """One problem with two ways to go about it.

    Attributes:
        group: of the problem.
        careful: the steps of its solution.
        careless: steps with a mistake; None if the problem needs one call only, or the mistake does not fit it.
    """

    group: str
    question: str
    careful: tuple[Step, ...]
    careless: tuple[Step, ...] | None


def draw_lessons(task: Task, careless_share: float, seed: int) -> Iterator[list[Message]]:
    """Lessons of one task as conversations under the true names, without end.

    Args:
        careless_share: share of careless lessons among those with more than one call; the others are always careful.

    Raises:
        ParamsError: the task has no part `lessons`.
        DataError: its part `lessons` cannot be used.
    """
    rng = random.Random(f"careless/{task.name}/{seed}")
    for lesson in draw_pairs(task, seed):
        careless = lesson.careless is not None and rng.random() < careless_share
        yield conversation(task, lesson.question, lesson.careless if careless and lesson.careless else lesson.careful)


def conversation(task: Task, question: str, steps: Sequence[Step], view: View = PLAIN) -> list[Message]:
    """A lesson in the agent's message format; the assistant writes its last message."""
    messages, _ = TEXT.render(task, question, steps, view)
    return messages[:-1] if steps[-1].observation is not None else messages


def draw_pairs(task: Task, seed: int) -> Iterator[Lesson]:
    """Lessons of one task without end: each round has one of every family, in random order.

    Raises:
        ParamsError: the task has no part `lessons`.
        DataError: its part `lessons` cannot be used.
    """
    rng = random.Random(f"lessons/{task.name}/{seed}")
    lessons = task.part("lessons")
    if lessons is None:
        raise missing_part(task, "lessons", "recipe.tasks")
    weights = _mistake_weights(task, lessons.careless_mistakes)
    while True:
        for draw_problem in rng.sample(lessons.problem_drawers, len(lessons.problem_drawers)):
            with part_errors_in_one_line(task, "lessons"):
                problem = draw_problem(rng)
            careless = None
            if weights and len(problem.solution) > SOLE_CALL:
                mistake = rng.choices(list(weights), list(weights.values()))[0]
                careless = build_steps(problem, task, mistake, rng)
            yield Lesson(problem.group, problem.question, build_steps(problem, task, None, rng), careless)


def _mistake_weights(task: Task, careless_mistakes: Mapping[str, float]) -> Mapping[Mistake, float]:
    by_name: dict[str, Mistake] = {mistake: mistake for mistake in MISTAKES}
    for name in careless_mistakes:
        if name not in by_name:
            hint = did_you_mean(name, MISTAKES)
            raise DataError(f"lessons of {task.name}: careless_mistakes: there is no mistake {name} ({hint})")
    return {by_name[name]: weight for name, weight in careless_mistakes.items()}  # in their order: it affects draws


def build_lesson(problem: Problem, task: Task, mistake: Mistake | None, rng: random.Random) -> list[Message]:
    """A whole attempt in the agent's message format, under the true names; raises as `build_steps`."""
    return conversation(task, problem.question, build_steps(problem, task, mistake, rng))


def build_steps(problem: Problem, task: Task, mistake: Mistake | None, rng: random.Random) -> tuple[Step, ...]:
    """The steps of a whole attempt, with every call executed.

    Raises:
        DataError: the problem has no solution, or a call of it cannot be executed or parsed.
    """
    if not problem.solution:
        raise DataError(f"lessons of {task.name}: a problem of {problem.group} has no solution")
    try:
        script = write_script(problem, task, mistake, rng)
    except ValueError as error:
        raise DataError(f"lessons of {task.name}: {error} (group {problem.group})") from None
    tools = task.toolbox.open()
    steps: list[Step] = []
    while len(steps) < len(script.steps) and not (steps and ends_chain(steps[-1])):
        call = parse_call(script.reply([step.observation for step in steps]))
        if isinstance(call, CallError):
            raise DataError(f"lessons of {task.name}: a call of {problem.group} does not parse: {call.message}")
        steps.append(execute_step("", call, task.toolbox, tools).step)
    return tuple(steps)
