"""The oracle teacher's chains without requests: its replies, read and executed by the agent's own code."""

import random
from collections.abc import Mapping

from callwright.agent.loop import ends_chain, take_steps
from callwright.agent.protocol import TEXT
from callwright.chat.model import Reply
from callwright.records import Chain, Problem, Step, Usage
from callwright.standins.oracle.app import ORACLE_MODEL
from callwright.standins.oracle.script import draw_mistake, write_script
from callwright.tasks import TASKS


def oracle_chain(problem: Problem, number: int, mistakes: Mapping[str, float], max_steps: int) -> Chain:
    """One attempt at a problem with a known solution; the same number gives the same chain.

    Args:
        mistakes: share of attempts per mistake, as params.yaml has them.
    """
    rng = random.Random(f"{problem.id}/{number}")
    toolbox = TASKS[problem.task].toolbox
    script = write_script(problem, TASKS[problem.task], draw_mistake(mistakes, rng), rng)
    tools = toolbox.open()
    steps: list[Step] = []
    usage = Usage()
    while len(steps) < max_steps and not (steps and ends_chain(steps[-1])):
        reply = Reply(script.reply([step.observation for step in steps]), "stop", Usage(len(steps), 1))
        usage += reply.usage
        steps += take_steps(reply, TEXT, toolbox, tools)
    answered = ends_chain(steps[-1])
    outcome, answer = ("answered", steps[-1].observation) if answered else ("step_limit", None)
    return Chain(
        f"{problem.id}/{ORACLE_MODEL}/{number}", problem.id, ORACLE_MODEL, "text", tuple(steps), outcome, answer, usage
    )
