"""Known solutions with realistic mistakes in them: what the oracle teacher and the base's demonstrations say.

A script is a list of moves made from a problem's gold chain. Later moves use what earlier ones really returned, so a
mistake carries on as it would for a model that does not notice it.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callwright.chat.model import ToolCall
from callwright.functions.function import render_call
from callwright.functions.numbers import as_argument, read_number
from callwright.functions.toolbox import Observation, Toolbox
from callwright.records import Call, Json, Problem
from callwright.standins.oracle.edits import MISTAKE_EDITS, MISTAKES, GoldChain, Mistake, ScriptStep, result_text

__all__ = ["MISTAKES", "Mistake", "Script", "ScriptStep", "draw_mistake", "write_script"]


@dataclass(frozen=True, slots=True)
class Script:
    """The moves of one attempt, and the gold results that their arguments refer to."""

    moves: tuple[ScriptStep, ...]
    gold_results: tuple[str, ...]
    mistake: Mistake | None

    def reply(self, observed: Sequence[str | None]) -> str:
        """The text of the move after `observed`: one entry per earlier reply, None where it was an error.

        A malformed call is one as a hasty model breaks it: the closing bracket is lost.
        """
        move = self._next_step(observed)
        text = render_call(move.call)
        return text.removesuffix(")") if move.raw else text

    def tool_call(self, observed: Sequence[str | None]) -> ToolCall:
        """The same move as a native tool call."""
        move = self._next_step(observed)
        arguments = json.dumps(move.call.arguments, ensure_ascii=False)
        return ToolCall(move.call.name, arguments.removesuffix("}") if move.raw else arguments)

    def _next_step(self, observed: Sequence[str | None]) -> ScriptStep:
        move = self.moves[min(len(observed), len(self.moves) - 1)]
        real = {
            self.gold_results[earlier.gold_index]: observation
            for earlier, observation in zip(self.moves, observed, strict=False)
            if earlier.gold_index is not None and observation is not None
        }
        arguments = {key: _with_real_results(value, real) for key, value in move.call.arguments.items()}
        return ScriptStep(Call(move.call.name, arguments), move.gold_index, move.raw)


def write_script(problem: Problem, toolbox: Toolbox, mistake: Mistake | None, rng: random.Random) -> Script:
    """The moves of an attempt with at most one mistake; a mistake that does not fit the problem is left out.

    Args:
        problem: with a gold solution of at least one call besides `answer`.
    """
    steps = problem.solution[:-1]
    tools = toolbox.open()
    executed = [tools.execute(call) for call in steps]
    results = tuple(result.text for result in executed if isinstance(result, Observation))
    if len(results) != len(steps):
        raise ValueError(f"the gold solution of {problem.id} does not execute")
    moves = (*(ScriptStep(call, place) for place, call in enumerate(steps)), ScriptStep(problem.solution[-1]))
    changed = MISTAKE_EDITS[mistake](GoldChain(moves, results, toolbox), rng) if mistake and steps else None
    return Script(tuple(changed or moves), results, mistake if changed else None)


def draw_mistake(shares: Mapping[str, float], rng: random.Random) -> Mistake | None:
    """One mistake by its share of all attempts, or none with the rest's probability."""
    u = rng.random()
    for mistake in MISTAKES:
        u -= shares.get(mistake, 0.0)
        if u < 0:
            return mistake
    return None


def _with_real_results(value: Json, real: Mapping[str, str]) -> Json:
    """An argument as it stands after earlier results: the real result where it was the gold one."""
    if isinstance(value, list):
        return [_with_real_results(item, real) for item in value]
    observed = real.get(result_text(value))
    return value if observed is None or observed == result_text(value) else _parse_result(observed)


def _parse_result(observation: str) -> Json:
    try:
        return as_argument(read_number(observation))
    except ValueError:
        return observation
