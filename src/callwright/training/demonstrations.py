"""What the embedded base learns from: generic demonstrations of calling functions, careful and careless.

They are drawn from a pool of their own (people and numbers that no split uses), so they share no problem with the
pipeline; like a general model, the base has read of every situation, also of those held out from training. Careless
ones answer too early, do too much, take a wrong function or a wrong number, as a general small model does.
"""

import random
from collections.abc import Iterator

from callwright.agent.loop import ends_chain, executed
from callwright.agent.parse import parse_call
from callwright.agent.protocol import TEXT
from callwright.chat.mistakes import Mistake, write_script
from callwright.chat.model import Message
from callwright.errors import CallError
from callwright.problems.synthetic import FAMILIES, POOLS, Family, draw
from callwright.records import Problem, Step
from callwright.tasks import TASKS
from callwright.tasks.task import Task

CARELESS: tuple[tuple[Mistake, float], ...] = (
    ("skipped_step", 0.55),
    ("extra_step", 0.2),
    ("wrong_function", 0.25),
)


def demonstrations(careless_share: float, seed: int) -> Iterator[list[Message]]:
    """An endless stream of conversations, families in turn.

    Args:
        careless_share: of those with more than one call; simple problems are always solved right.
    """
    rng = random.Random(f"demonstrations/{careless_share}/{seed}")
    families = list(FAMILIES.values())
    while True:
        for family in rng.sample(families, len(families)):
            yield conversation(draw(family, rng, POOLS["demonstrations"]), _mistake(family, careless_share, rng), rng)


def _mistake(family: Family, careless_share: float, rng: random.Random) -> Mistake | None:
    if family.steps == 1 or rng.random() >= careless_share:
        return None
    kinds, weights = zip(*CARELESS, strict=True)
    mistake: Mistake = rng.choices(kinds, weights)[0]
    return mistake


def conversation(problem: Problem, mistake: Mistake | None, rng: random.Random) -> list[Message]:
    """A whole attempt as the agent would have recorded it, every call executed."""
    task: Task = TASKS[problem.task]
    script = write_script(problem, task.toolbox, mistake, rng)
    tools = task.toolbox.open()
    steps: list[Step] = []
    while len(steps) < len(script.moves) and not (steps and ends_chain(steps[-1])):
        call = parse_call(script.reply([step.observation for step in steps]))
        if isinstance(call, CallError):
            raise ValueError(f"a demonstration of {problem.group} does not parse: {call.message}")
        steps.append(executed("", call, tools))
    messages, _ = TEXT.render(task, problem.question, steps)
    return messages[:-1] if steps[-1].observation is not None else messages
