"""What each mistake does to the moves of a gold chain. Pure functions, told apart by what a chain calculates with.

Numbers are nudged and mixed up; formulas are misread (a quantifier, a connective, a `not`) and used in each other's
place; one of a few words, such as True or Unknown, is guessed. A change that does not fit a problem gives None.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from callwright.functions.numbers import as_argument, format_number, read_number
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Call, Json
from callwright.standins.oracle.confusions import CONFUSED_FUNCTIONS, INVENTED_FUNCTIONS, misreadings

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

LUCKY_GUESS_SHARE = 0.3  # share of guessed answers that are right by luck
EARLY_ANSWER_SHARE = 0.7  # share of skipped steps that are surely the last: the answer is given too early


@dataclass(frozen=True, slots=True)
class ScriptStep:
    """One reply to make: a call (with the gold chain's arguments), `raw` where it is broken off. `gold_index` is the
    gold step whose result it gives."""

    call: Call
    gold_index: int | None = None
    raw: bool = False


@dataclass(frozen=True, slots=True)
class GoldChain:
    """A gold chain to change: its moves, the results of all but the last, and the functions it may use."""

    moves: tuple[ScriptStep, ...]
    results: tuple[str, ...]
    toolbox: Toolbox

    def choices(self) -> tuple[str, ...]:
        """The answers to choose from, where the task has but a few."""
        answer = self.toolbox.functions[ANSWER]
        properties = answer.schema()["function"]["parameters"]["properties"]
        return tuple(properties[answer.parameters[0]].get("enum", ()))


MistakeEdit = Callable[[GoldChain, random.Random], "list[ScriptStep] | None"]


def result_text(value: object) -> str:
    """A value as a result shows it, so that an argument is recognised as an earlier result."""
    try:
        return format_number(read_number(value))
    except ValueError:
        return str(value)


def _is_number(value: object) -> bool:
    try:
        read_number(value)
    except ValueError:
        return False
    return True


def _replace_call(moves: Sequence[ScriptStep], place: int, call: Call) -> list[ScriptStep]:
    return [*moves[:place], replace(moves[place], call=call), *moves[place + 1 :]]


def _wrong_function(gold: GoldChain, rng: random.Random) -> list[ScriptStep] | None:
    moves = gold.moves
    places = [place for place, move in enumerate(moves[:-1]) if move.call.name in CONFUSED_FUNCTIONS]
    if not places:
        return _wrong_operand(gold, rng)
    place = rng.choice(places)
    call = moves[place].call
    name = rng.choice(CONFUSED_FUNCTIONS[call.name])
    other = gold.toolbox.functions.get(name)
    values = list(call.arguments.values())[:2]
    if other is None or len(values) < 2 or len(other.parameters) < 2:
        return None
    return _replace_call(moves, place, Call(name, dict(zip(other.parameters, values, strict=False))))


def _wrong_operand(gold: GoldChain, rng: random.Random) -> list[ScriptStep] | None:
    moves = gold.moves
    place = rng.randrange(len(moves) - 1)
    call = moves[place].call
    if not all(map(_is_number, call.arguments.values())):
        others = _calls_with_other_texts(gold, place)
        return _replace_call(moves, place, rng.choice(others)) if others else None
    numbers = [
        value
        for move in moves[:-1]
        for value in move.call.arguments.values()
        if _is_number(value) and value not in call.arguments.values() and result_text(value) not in gold.results[place:]
    ]
    key = rng.choice(list(call.arguments))
    numbers = numbers or [_changed_number(call.arguments[key], rng)]
    return _replace_call(moves, place, Call(call.name, {**call.arguments, key: rng.choice(numbers)}))


def _calls_with_other_texts(gold: GoldChain, place: int) -> list[Call]:
    """A call on formulas and names with one of them another: what stands elsewhere, or a formula misread."""
    call = gold.moves[place].call
    made: list[Call] = []
    for key, value in call.arguments.items():
        if result_text(value) in gold.results[:place]:
            others: list[Json] = [result for result in gold.results[:place] if "(" in result]
        else:
            same = [move.call.arguments for move in gold.moves[:-1] if move.call.name == call.name]
            others = [arguments[key] for arguments in same if key in arguments]
            others += misreadings(value)
            others += [value[::-1]] if isinstance(value, list) else []
        made += [Call(call.name, {**call.arguments, key: other}) for other in others]
    if all(result_text(value) in gold.results[:place] for value in call.arguments.values()):
        turned = list(call.arguments.values())[::-1]
        made.append(Call(call.name, dict(zip(call.arguments, turned, strict=True))))
    known = [move.call for move in gold.moves[: place + 1]]
    return [other for place, other in enumerate(made) if other not in known and other not in made[:place]]


def _skipped_step(gold: GoldChain, rng: random.Random) -> list[ScriptStep] | None:
    moves, results = gold.moves, gold.results
    if len(moves) < 3:
        return None
    last = len(moves) - 2
    place = last if rng.random() < EARLY_ANSWER_SHARE else rng.randrange(1, last + 1)
    used = any(_uses(move.call, results[place]) for move in moves[place + 1 :])
    instead = _replacement_value(gold, place, rng) if used else None
    if used and instead is None:
        return None
    rest = [
        replace(move, call=Call(move.call.name, _replace_result(move.call.arguments, results[place], instead)))
        for move in moves[place + 1 :]
    ]
    if place == last:  # where the early answer is refused, the step is made up for
        return [*moves[:place], *rest, *moves[place:]]
    return [*moves[:place], *rest]


def _replacement_value(gold: GoldChain, place: int, rng: random.Random) -> Json:
    """What a model has in hand in place of a result: an earlier one, a number of the problem, or a guess."""
    values = list(gold.moves[place].call.arguments.values())
    earlier = next((value for value in values if result_text(value) in gold.results[:place]), None)
    if earlier is not None or _is_number(values[0]):
        return values[0] if earlier is None else earlier
    return rng.choice(gold.choices()) if gold.choices() else None


def _extra_step(gold: GoldChain, rng: random.Random) -> list[ScriptStep] | None:
    moves, last = gold.moves, len(gold.results) - 1
    (result,) = moves[-1].call.arguments.values()
    if _is_number(result):
        numbers = [value for move in moves[:-1] for value in move.call.arguments.values() if _is_number(value)]
        names = [name for name in ("add", "subtract", "multiply") if name in gold.toolbox.functions]
        if not numbers or not names:
            return None
        other, name = rng.choice(numbers), rng.choice(names)
        return [*moves[:-1], ScriptStep(Call(name, {"a": result, "b": other}), gold_index=last), moves[-1]]
    if "negate" in gold.toolbox.functions:
        return [*moves[:-1], ScriptStep(Call("negate", {"body": result}), gold_index=last), moves[-1]]
    asked = moves[last].call
    others = [{**asked.arguments, key: new} for key, value in asked.arguments.items() for new in misreadings(value)]
    if not others:
        return None
    return [*moves[:-1], ScriptStep(Call(asked.name, rng.choice(others)), gold_index=last), moves[-1]]


def _guessed_answer(gold: GoldChain, rng: random.Random) -> list[ScriptStep] | None:
    ((name, value),) = gold.moves[-1].call.arguments.items()
    if rng.random() < LUCKY_GUESS_SHARE:
        return [ScriptStep(Call(ANSWER, {name: value}))]
    if _is_number(value):
        return [ScriptStep(Call(ANSWER, {name: _changed_number(value, rng)}))]
    others = [one for one in gold.choices() if one != value] or misreadings(value)
    return [ScriptStep(Call(ANSWER, {name: rng.choice(others)}))] if others else None


def _malformed_call(gold: GoldChain, rng: random.Random) -> list[ScriptStep]:
    place = rng.randrange(len(gold.moves) - 1)
    return [*gold.moves[:place], ScriptStep(gold.moves[place].call, raw=True), *gold.moves[place:]]


def _unknown_function(gold: GoldChain, rng: random.Random) -> list[ScriptStep]:
    place = rng.randrange(len(gold.moves) - 1)
    call = gold.moves[place].call
    invented = Call(INVENTED_FUNCTIONS.get(call.name, f"{call.name}_of"), call.arguments)
    return [*gold.moves[:place], ScriptStep(invented), *gold.moves[place:]]


def _repeated_call(gold: GoldChain, rng: random.Random) -> list[ScriptStep]:
    place = rng.randrange(len(gold.moves) - 1)
    return [*gold.moves[: place + 1], *gold.moves[place:]]


MISTAKE_EDITS: dict[Mistake, MistakeEdit] = {
    "wrong_function": _wrong_function,
    "wrong_operand": _wrong_operand,
    "skipped_step": _skipped_step,
    "extra_step": _extra_step,
    "guessed_answer": _guessed_answer,
    "malformed_call": _malformed_call,
    "unknown_function": _unknown_function,
    "repeated_call": _repeated_call,
}


def _uses(call: Call, result: str) -> bool:
    return any(result_text(value) == result for value in call.arguments.values())


def _replace_result(arguments: dict[str, Json], gold: str, instead: Json) -> dict[str, Json]:
    return {key: instead if result_text(value) == gold else value for key, value in arguments.items()}


def _changed_number(value: object, rng: random.Random) -> Json:
    return as_argument(read_number(value) + rng.choice([-10, -2, -1, 1, 2, 10]))
