"""Known solutions with realistic mistakes in them: what the oracle teacher and the base's demonstrations say.

A script is a list of moves made from a problem's gold chain. Later moves use what earlier ones really returned, so a
mistake carries on as it would for a model that does not notice it.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from callwright.functions.function import render_call
from callwright.functions.numbers import as_argument, format_number, read_number
from callwright.functions.toolbox import ANSWER, Observation, Toolbox
from callwright.records import Call, Problem

Mistake = Literal[
    "wrong_function",
    "wrong_operand",
    "skipped_step",
    "extra_step",
    "guessed_answer",
    "malformed_call",
    "unknown_function",
    "repeated_call",
]
MISTAKES: tuple[Mistake, ...] = get_args(Mistake)

LUCKY = 0.3  # share of guessed answers that are right by luck
HASTE = 0.7  # share of skipped steps that are surely the last: the answer is given too early

_CONFUSED = {
    "add": ("subtract", "multiply"),
    "subtract": ("add", "divide"),
    "multiply": ("add", "divide"),
    "divide": ("multiply", "subtract"),
    "percent_of": ("subtract", "divide"),
    "remainder": ("divide", "subtract"),
    "power": ("multiply",),
    "round_to": ("divide",),
}
_INVENTED = {
    "add": "sum",
    "subtract": "minus",
    "multiply": "times",
    "divide": "split",
    "percent_of": "percentage",
    "power": "square",
    "remainder": "modulo",
    "round_to": "round",
}


@dataclass(frozen=True, slots=True)
class Move:
    """One reply to make: a call (with the gold chain's arguments), or `raw` text. `stands_for` is the gold step."""

    call: Call
    stands_for: int | None = None
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """The moves of one attempt, and the gold results that their arguments refer to."""

    moves: tuple[Move, ...]
    gold_results: tuple[str, ...]
    mistake: Mistake | None

    def reply(self, observed: Sequence[str | None]) -> str:
        """The text of the move after `observed`: one entry per earlier reply, None where it was an error."""
        move = self.moves[min(len(observed), len(self.moves) - 1)]
        real = {
            self.gold_results[earlier.stands_for]: observation
            for earlier, observation in zip(self.moves, observed, strict=False)
            if earlier.stands_for is not None and observation is not None
        }
        arguments = {key: _carried(value, real) for key, value in move.call.arguments.items()}
        text = render_call(Call(move.call.name, arguments))
        return _mangle(text) if move.raw else text


def write_script(problem: Problem, toolbox: Toolbox, mistake: Mistake | None, rng: random.Random) -> Script:
    """The moves of an attempt with at most one mistake; a mistake that does not fit the problem is left out.

    Args:
        problem: with a gold solution of at least one call besides `answer`.
    """
    steps = problem.solution[:-1]
    tools = toolbox.open()
    executed = [tools.execute(call) for call in steps]
    gold = tuple(result.text for result in executed if isinstance(result, Observation))
    if len(gold) != len(steps):
        raise ValueError(f"the gold solution of {problem.id} does not execute")
    moves = [Move(call, place) for place, call in enumerate(steps)] + [Move(problem.solution[-1])]
    changed = _CHANGES[mistake](moves, gold, rng) if mistake and steps else None
    return Script(tuple(changed or moves), gold, mistake if changed else None)


def draw_mistake(shares: Mapping[str, float], rng: random.Random) -> Mistake | None:
    """One mistake by its share of all attempts, or none with the rest's probability."""
    u = rng.random()
    for mistake in MISTAKES:
        u -= shares.get(mistake, 0.0)
        if u < 0:
            return mistake
    return None


def _wrong_function(moves: list[Move], gold: Sequence[str], rng: random.Random) -> list[Move] | None:
    place = rng.randrange(len(moves) - 1)
    call = moves[place].call
    if call.name not in _CONFUSED:
        return None
    name = rng.choice(_CONFUSED[call.name])
    values = list(call.arguments.values())[:2]
    if len(values) < 2:
        return None
    swapped = Call(name, dict(zip(("a", "b"), values, strict=True)))
    return [*moves[:place], replace(moves[place], call=swapped), *moves[place + 1 :]]


def _wrong_operand(moves: list[Move], gold: Sequence[str], rng: random.Random) -> list[Move] | None:
    place = rng.randrange(len(moves) - 1)
    call = moves[place].call
    others = [
        value
        for move in moves[:-1]
        for value in move.call.arguments.values()
        if value not in call.arguments.values() and _text(value) not in gold[place:]
    ]
    key = rng.choice(list(call.arguments))
    others = others or [_nudged(call.arguments[key], rng)]
    arguments = {**call.arguments, key: rng.choice(others)}
    return [*moves[:place], replace(moves[place], call=Call(call.name, arguments)), *moves[place + 1 :]]


def _skipped_step(moves: list[Move], gold: Sequence[str], rng: random.Random) -> list[Move] | None:
    if len(moves) < 3:
        return None
    last = len(moves) - 2
    place = last if rng.random() < HASTE else rng.randrange(1, last + 1)
    left = moves[place].call.arguments
    instead = next((value for value in left.values() if _text(value) in gold[:place]), next(iter(left.values())))
    rest = [
        replace(move, call=Call(move.call.name, _swap(move.call.arguments, gold[place], instead)))
        for move in moves[place + 1 :]
    ]
    return [*moves[:place], *rest]


def _extra_step(moves: list[Move], gold: Sequence[str], rng: random.Random) -> list[Move]:
    result = moves[-1].call.arguments["value"]
    other = rng.choice([value for move in moves[:-1] for value in move.call.arguments.values()])
    name = rng.choice(("add", "subtract", "multiply"))
    extra = Call(name, {"a": result, "b": other})
    return [*moves[:-1], Move(extra, stands_for=len(gold) - 1), moves[-1]]


def _guessed_answer(moves: list[Move], gold: Sequence[str], rng: random.Random) -> list[Move]:
    value = moves[-1].call.arguments["value"]
    guess = value if rng.random() < LUCKY else _nudged(value, rng)
    return [Move(Call(ANSWER, {"value": guess}))]


def _malformed_call(moves: list[Move], gold: Sequence[str], rng: random.Random) -> list[Move]:
    place = rng.randrange(len(moves) - 1)
    return [*moves[:place], Move(moves[place].call, raw=True), *moves[place:]]


def _unknown_function(moves: list[Move], gold: Sequence[str], rng: random.Random) -> list[Move] | None:
    place = rng.randrange(len(moves) - 1)
    call = moves[place].call
    invented = Call(_INVENTED.get(call.name, f"{call.name}_of"), call.arguments)
    return [*moves[:place], Move(invented), *moves[place:]]


def _repeated_call(moves: list[Move], gold: Sequence[str], rng: random.Random) -> list[Move]:
    place = rng.randrange(len(moves) - 1)
    return [*moves[: place + 1], *moves[place:]]


_CHANGES = {
    "wrong_function": _wrong_function,
    "wrong_operand": _wrong_operand,
    "skipped_step": _skipped_step,
    "extra_step": _extra_step,
    "guessed_answer": _guessed_answer,
    "malformed_call": _malformed_call,
    "unknown_function": _unknown_function,
    "repeated_call": _repeated_call,
}


def _mangle(text: str) -> str:
    """A call as a hasty model breaks it: the closing bracket is lost."""
    return text.removesuffix(")")


def _text(value: object) -> str:
    try:
        return format_number(read_number(value))
    except ValueError:
        return str(value)


def _swap(arguments: dict[str, object], gold: str, instead: object) -> dict[str, object]:
    return {key: instead if _text(value) == gold else value for key, value in arguments.items()}


def _carried(value: object, real: Mapping[str, str]) -> object:
    """An argument as it stands after earlier results: the real result where it was the gold one."""
    observed = real.get(_text(value))
    return value if observed is None or observed == _text(value) else _argument(observed)


def _argument(observation: str) -> object:
    try:
        return as_argument(read_number(observation))
    except ValueError:
        return observation


def _nudged(value: object, rng: random.Random) -> object:
    try:
        number = read_number(value)
    except ValueError:
        return value
    return as_argument(number + rng.choice([-10, -2, -1, 1, 2, 10]))
