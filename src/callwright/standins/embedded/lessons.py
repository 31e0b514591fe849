"""Lessons of the embedded base: solved problems of every task, careful and careless.

Lessons have their own pool of people, numbers and words, in combinations that no split uses, so they share no problem
with the pipeline. They cover every family, including those held out from training, because a general model has read
about those too. Careless lessons answer too early, make an extra call or use a wrong function, as a general small model
does. They never use a wrong operand: preference training cannot repair a model that learned to copy wrongly
(docs/decisions/0003).
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import get_args

from callwright.agent.loop import ends_chain, execute_step
from callwright.agent.parsing.parse import parse_call
from callwright.agent.protocol import TEXT
from callwright.chat.model import Message
from callwright.errors import CallError
from callwright.records import Problem, Step
from callwright.standins.oracle.script import Mistake, write_script
from callwright.tasks.arithmetic.synthetic.problems import FAMILIES, draw_arithmetic
from callwright.tasks.entailment import synthetic
from callwright.tasks.entailment.functions import TruthValue
from callwright.tasks.entailment.synthetic import draw_entailment
from callwright.tasks.synthetic import POOLS
from callwright.tasks.task import Task
from callwright.tasks.translation.synthetic.families import HELD_OUT, SEEN
from callwright.tasks.translation.synthetic.problems import draw_translation

ProblemDrawer = Callable[[random.Random], Problem]

CARELESS_MISTAKES: Mapping[str, tuple[tuple[Mistake, float], ...]] = {
    "arithmetic": (("skipped_step", 0.55), ("extra_step", 0.2), ("wrong_function", 0.25)),
    "translation": (("skipped_step", 0.5), ("wrong_function", 0.5)),
    "entailment": (("skipped_step", 0.7), ("extra_step", 0.3)),
}


def _draw_entailment_problem(family: synthetic.EntailmentFamily, rng: random.Random) -> Problem:
    answer: TruthValue = rng.choice(get_args(TruthValue))
    return draw_entailment(family, answer, rng, POOLS["lessons"])


PROBLEM_DRAWERS: Mapping[str, Sequence[ProblemDrawer]] = {
    "arithmetic": [partial(draw_arithmetic, family, pool=POOLS["lessons"]) for family in FAMILIES.values()],
    "translation": [partial(draw_translation, family, pool=POOLS["lessons"]) for family in (*SEEN, *HELD_OUT)],
    "entailment": [partial(_draw_entailment_problem, family) for family in synthetic.FAMILIES.values()],
}
"""How to draw a problem of each family, by task."""


def draw_lessons(task: Task, careless_share: float, seed: int) -> Iterator[list[Message]]:
    """Draw one task's lessons, without end. Each round has one lesson of every family, in random order.

    Args:
        careless_share: share of careless lessons among those with more than one call; the others are always careful.
    """
    rng = random.Random(f"demonstrations/{task.name}/{careless_share}/{seed}")
    while True:
        for draw_problem in rng.sample(PROBLEM_DRAWERS[task.name], len(PROBLEM_DRAWERS[task.name])):
            problem = draw_problem(rng)
            yield build_lesson(problem, task, _draw_mistake(problem, careless_share, rng), rng)


def _draw_mistake(problem: Problem, careless_share: float, rng: random.Random) -> Mistake | None:
    if len(problem.solution) <= 2 or rng.random() >= careless_share:  # 2: one call and the answer
        return None
    kinds, weights = zip(*CARELESS_MISTAKES[problem.task], strict=True)
    mistake: Mistake = rng.choices(kinds, weights)[0]
    return mistake


def build_lesson(problem: Problem, task: Task, mistake: Mistake | None, rng: random.Random) -> list[Message]:
    """A whole attempt in the agent's message format, with every call executed.

    Raises:
        ValueError: a call of the script cannot be parsed.
    """
    script = write_script(problem, task.toolbox, mistake, rng)
    tools = task.toolbox.open()
    steps: list[Step] = []
    while len(steps) < len(script.steps) and not (steps and ends_chain(steps[-1])):
        call = parse_call(script.reply([step.observation for step in steps]))
        if isinstance(call, CallError):
            raise ValueError(f"a lesson of {problem.group} does not parse: {call.message}")
        steps.append(execute_step("", call, task.toolbox, tools).step)
    messages, _ = TEXT.render(task, problem.question, steps)
    return messages[:-1] if steps[-1].observation is not None else messages
