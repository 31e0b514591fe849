"""Lessons of the embedded base: solved problems of every task, careful and careless.

Lessons have their own pool of people, numbers and words, in combinations that no split uses, so they share no problem
with the pipeline. They cover every family, including those held out from training, because a general model has read
about those too. Careless lessons answer too early, make an extra call or use a wrong function, as a general small model
does. They never use a wrong operand: preference training cannot repair a model that learned to copy wrongly
(docs/decisions/0003).
"""

import random
from collections.abc import Iterator, Mapping

from callwright.agent.loop import ends_chain, execute_step
from callwright.agent.parsing.parse import parse_call
from callwright.agent.protocol import TEXT
from callwright.chat.model import Message
from callwright.errors import CallError, DataError
from callwright.records import Problem, Step
from callwright.standins.oracle.script import MISTAKES, Mistake, write_script
from callwright.tasks.task import Task
from callwright.tasks.task_sections import missing_part, part_errors_in_one_line
from callwright.text import did_you_mean


def draw_lessons(task: Task, careless_share: float, seed: int) -> Iterator[list[Message]]:
    """Draw one task's lessons, without end. Each round has one lesson of every family, in random order.

    Args:
        careless_share: share of careless lessons among those with more than one call; the others are always careful.

    Raises:
        ParamsError: the task has no part `lessons`.
        DataError: its part `lessons` cannot be used.
    """
    lessons = task.part("lessons")
    if lessons is None:
        raise missing_part(task, "lessons", "recipe.tasks")
    weights = _mistake_weights(task, lessons.careless_mistakes)
    rng = random.Random(f"demonstrations/{task.name}/{careless_share}/{seed}")
    while True:
        for draw_problem in rng.sample(lessons.problem_drawers, len(lessons.problem_drawers)):
            with part_errors_in_one_line(task, "lessons"):
                problem = draw_problem(rng)
            yield build_lesson(problem, task, _draw_mistake(problem, weights, careless_share, rng), rng)


def _mistake_weights(task: Task, careless_mistakes: Mapping[str, float]) -> Mapping[Mistake, float]:
    by_name: dict[str, Mistake] = {mistake: mistake for mistake in MISTAKES}
    for name in careless_mistakes:
        if name not in by_name:
            hint = did_you_mean(name, MISTAKES)
            raise DataError(f"lessons of {task.name}: careless_mistakes: there is no mistake {name} ({hint})")
    return {by_name[name]: weight for name, weight in careless_mistakes.items()}  # in their order: it affects draws


def _draw_mistake(
    problem: Problem, weights: Mapping[Mistake, float], careless_share: float, rng: random.Random
) -> Mistake | None:
    if len(problem.solution) <= 2 or rng.random() >= careless_share or not weights:  # 2: one call and the answer
        return None
    return rng.choices(list(weights), list(weights.values()))[0]


def build_lesson(problem: Problem, task: Task, mistake: Mistake | None, rng: random.Random) -> list[Message]:
    """A whole attempt in the agent's message format, with every call executed.

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
    messages, _ = TEXT.render(task, problem.question, steps)
    return messages[:-1] if steps[-1].observation is not None else messages
