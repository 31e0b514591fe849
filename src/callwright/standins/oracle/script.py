"""Known solutions with realistic mistakes: used by the oracle and by the lessons of the embedded student.

A script is a list of steps made from a problem's gold chain. Later steps use what earlier ones really returned, so a
mistake carries on as it would for a model that does not notice it.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from callwright.chat.model import ToolCall
from callwright.functions.function import render_call
from callwright.functions.numbers import as_argument, read_number
from callwright.functions.toolbox import Observation, Toolbox
from callwright.records import Call, Json, Problem
from callwright.standins.oracle.gold_chain import GoldChain, ScriptStep, result_text
from callwright.standins.oracle.mistake_edits import MISTAKE_EDITS, MISTAKES, Mistake
from callwright.tasks.parts import TaskMistakes
from callwright.tasks.task import Task
from callwright.tasks.view import View

__all__ = ["MISTAKES", "Mistake", "Script", "ScriptStep", "draw_mistake", "write_script"]


@dataclass(frozen=True, slots=True)
class Script:
    """The steps of one attempt, and the gold results that their arguments refer to.

    Attributes:
        mistake: None for a correct attempt.
    """

    steps: tuple[ScriptStep, ...]
    gold_results: tuple[str, ...]
    mistake: Mistake | None

    def reply(self, observed: Sequence[str | None]) -> str:
        """The text of the step after `observed`. The closing bracket of a malformed call is missing.

        Args:
            observed: the observation of each earlier step; None for an error.
        """
        step = self._next_step(observed)
        text = render_call(step.call)
        return text.removesuffix(")") if step.malformed else text

    def tool_call(self, observed: Sequence[str | None]) -> ToolCall:
        """The same step as a native tool call."""
        step = self._next_step(observed)
        arguments = json.dumps(step.call.arguments, ensure_ascii=False)
        return ToolCall(step.call.name, arguments.removesuffix("}") if step.malformed else arguments)

    def shown(self, view: View, toolbox: Toolbox) -> "Script":
        """The script under the names that a view shows. Its arguments still refer to the gold results."""
        steps = tuple(replace(step, call=view.show_call(step.call, toolbox)) for step in self.steps)
        return replace(self, steps=steps)

    def _next_step(self, observed: Sequence[str | None]) -> ScriptStep:
        step = self.steps[min(len(observed), len(self.steps) - 1)]
        real_results = {
            self.gold_results[earlier.gold_index]: observation
            for earlier, observation in zip(self.steps, observed, strict=False)
            if earlier.gold_index is not None and observation is not None
        }
        arguments = {key: _with_real_results(value, real_results) for key, value in step.call.arguments.items()}
        return ScriptStep(Call(step.call.name, arguments), step.gold_index, step.malformed)


def write_script(problem: Problem, task: Task, mistake: Mistake | None, rng: random.Random) -> Script:
    """The steps of an attempt with at most one mistake. A mistake that does not fit the problem is dropped.

    Args:
        problem: with a gold solution of at least one call besides `answer`.
        task: of the problem. Its part `mistakes` says what is confused.

    Raises:
        ValueError: the gold solution does not execute.
    """
    gold_calls = problem.solution[:-1]
    tools = task.toolbox.open()
    executed = [tools.execute(call) for call in gold_calls]
    gold_results = tuple(result.text for result in executed if isinstance(result, Observation))
    if len(gold_results) != len(gold_calls):
        raise ValueError(f"the gold solution of {problem.id} does not execute")
    gold_steps = (*(ScriptStep(call, index) for index, call in enumerate(gold_calls)), ScriptStep(problem.solution[-1]))
    edited = None
    if mistake and gold_calls:
        confusions = task.part("mistakes") or TaskMistakes()
        edited = MISTAKE_EDITS[mistake](GoldChain(gold_steps, gold_results, task.toolbox, confusions), rng)
    return Script(tuple(edited or gold_steps), gold_results, mistake if edited else None)


def draw_mistake(shares: Mapping[str, float], rng: random.Random) -> Mistake | None:
    """A mistake drawn by its share of all attempts; None with the remaining probability."""
    remaining = rng.random()
    for mistake in MISTAKES:
        remaining -= shares.get(mistake, 0.0)
        if remaining < 0:
            return mistake
    return None


def _with_real_results(value: Json, real_results: Mapping[str, str]) -> Json:
    """An argument, with the real result of an earlier step where it was the gold result.

    Args:
        real_results: gold result -> what the step really returned.
    """
    if isinstance(value, list):
        return [_with_real_results(item, real_results) for item in value]
    observation = real_results.get(result_text(value))
    return value if observation is None or observation == result_text(value) else _parse_result(observation)


def _parse_result(observation: str) -> Json:
    try:
        return as_argument(read_number(observation))
    except ValueError:
        return observation
