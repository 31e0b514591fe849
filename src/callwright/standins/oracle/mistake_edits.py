"""How each mistake changes the steps of a gold chain. Pure functions, chosen by the type of a call's values.

Numbers are changed or confused. Formulas are misread (a quantifier, a connective, a `not`) or used in place of each
other. If a task has only a few answers, such as True or Unknown, one of them is guessed.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, get_args

from callwright.functions.numbers import as_argument, read_number
from callwright.functions.toolbox import ANSWER
from callwright.records import Call, Json
from callwright.standins.oracle.gold_chain import GoldChain, ScriptStep, result_text

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

MistakeEdit = Callable[[GoldChain, random.Random], "list[ScriptStep] | None"]
"""The steps with the mistake; None if the mistake does not fit the problem."""


def _is_number(value: object) -> bool:
    try:
        read_number(value)
    except ValueError:
        return False
    return True


def _replace_call(steps: Sequence[ScriptStep], index: int, call: Call) -> list[ScriptStep]:
    return [*steps[:index], replace(steps[index], call=call), *steps[index + 1 :]]


def _wrong_function(gold: GoldChain, rng: random.Random) -> list[ScriptStep] | None:
    """Call another function with the same values."""
    steps, confused_functions = gold.steps, gold.confusions.confused_functions
    indices = [index for index, step in enumerate(steps[:-1]) if step.call.name in confused_functions]
    if not indices:
        return _wrong_operand(gold, rng)
    index = rng.choice(indices)
    call = steps[index].call
    name = rng.choice(confused_functions[call.name])
    function = gold.toolbox.functions.get(name)
    values = list(call.arguments.values())[:2]
    if function is None or len(values) < 2 or len(function.parameters) < 2:
        return None
    return _replace_call(steps, index, Call(name, dict(zip(function.parameters, values, strict=False))))


def _wrong_operand(gold: GoldChain, rng: random.Random) -> list[ScriptStep] | None:
    """Call a function with a number or a formula from elsewhere in the chain."""
    steps = gold.steps
    index = rng.randrange(len(steps) - 1)
    call = steps[index].call
    if not call.arguments:
        return None
    if not all(map(_is_number, call.arguments.values())):
        calls = _calls_with_other_texts(gold, index)
        return _replace_call(steps, index, rng.choice(calls)) if calls else None
    numbers = [
        value
        for step in steps[:-1]
        for value in step.call.arguments.values()
        if _is_number(value) and value not in call.arguments.values() and result_text(value) not in gold.results[index:]
    ]
    key = rng.choice(list(call.arguments))
    numbers = numbers or [_changed_number(call.arguments[key], rng)]
    return _replace_call(steps, index, Call(call.name, {**call.arguments, key: rng.choice(numbers)}))


def _calls_with_other_texts(gold: GoldChain, index: int) -> list[Call]:
    """The calls that differ from a step's call, on formulas and names, in one argument or in the order of arguments.

    The other argument is from elsewhere in the chain, or it is the formula misread.
    """
    call, earlier_results = gold.steps[index].call, gold.results[:index]
    calls: list[Call] = []
    for key, value in call.arguments.items():
        if result_text(value) in earlier_results:
            values: list[Json] = [result for result in earlier_results if "(" in result]
        else:
            same_function = [step.call.arguments for step in gold.steps[:-1] if step.call.name == call.name]
            values = [arguments[key] for arguments in same_function if key in arguments]
            values += gold.misreadings(value)
            values += [value[::-1]] if isinstance(value, list) else []
        calls += [Call(call.name, {**call.arguments, key: other}) for other in values]
    if all(result_text(value) in earlier_results for value in call.arguments.values()):
        reversed_values = list(call.arguments.values())[::-1]
        calls.append(Call(call.name, dict(zip(call.arguments, reversed_values, strict=True))))
    gold_calls = [step.call for step in gold.steps[: index + 1]]
    return [other for number, other in enumerate(calls) if other not in gold_calls and other not in calls[:number]]


def _skipped_step(gold: GoldChain, rng: random.Random) -> list[ScriptStep] | None:
    """Leave out a step; later steps use another value instead of its result."""
    steps, results = gold.steps, gold.results
    if len(steps) < 3:
        return None
    last = len(steps) - 2
    index = last if rng.random() < EARLY_ANSWER_SHARE else rng.randrange(1, last + 1)
    used = any(_uses(step.call, results[index]) for step in steps[index + 1 :])
    replacement = _replacement_value(gold, index, rng) if used else None
    if used and replacement is None:
        return None
    later_steps = [
        replace(step, call=Call(step.call.name, _replace_result(step.call.arguments, results[index], replacement)))
        for step in steps[index + 1 :]
    ]
    if index == last:  # if the early answer is refused, the skipped step follows
        return [*steps[:index], *later_steps, *steps[index:]]
    return [*steps[:index], *later_steps]


def _replacement_value(gold: GoldChain, index: int, rng: random.Random) -> Json:
    """A plausible value instead of a step's result: an earlier result, a number of the problem, or a guess."""
    values = list(gold.steps[index].call.arguments.values())
    earlier = next((value for value in values if result_text(value) in gold.results[:index]), None)
    if earlier is not None or (values and _is_number(values[0])):
        return values[0] if earlier is None else earlier
    return rng.choice(gold.possible_answers()) if gold.possible_answers() else None


def _extra_step(gold: GoldChain, rng: random.Random) -> list[ScriptStep] | None:
    """Change the result in one more call before the answer."""
    steps, last = gold.steps, len(gold.results) - 1
    if len(steps[-1].call.arguments) != 1:
        return None
    (result,) = steps[-1].call.arguments.values()
    call = _changed_number_call(gold, result, rng) if _is_number(result) else _changed_text_call(gold, result, rng)
    return [*steps[:-1], ScriptStep(call, gold_index=last), steps[-1]] if call else None


def _changed_number_call(gold: GoldChain, result: Json, rng: random.Random) -> Call | None:
    """One of the extra functions on the result and, if it takes two arguments, a number of the chain."""
    numbers = [value for step in gold.steps[:-1] for value in step.call.arguments.values() if _is_number(value)]
    functions = gold.extra_functions()
    if not numbers or not functions:
        return None
    number, function = rng.choice(numbers), rng.choice(functions)
    return Call(function.name, dict(zip(function.parameters, (result, number), strict=False)))


def _changed_text_call(gold: GoldChain, result: Json, rng: random.Random) -> Call | None:
    """An extra function on the result, with the other arguments of a call of the chain; else the last call misread."""
    called_with = {step.call.name: step.call.arguments for step in gold.steps[:-1]}
    calls = [
        Call(function.name, {**called_with.get(function.name, {}), function.parameters[0]: result})
        for function in gold.extra_functions()
        if len(function.parameters) == 1 or function.name in called_with
    ]
    if not calls:
        call = gold.steps[-2].call
        calls = [
            Call(call.name, {**call.arguments, key: other})
            for key, value in call.arguments.items()
            for other in gold.misreadings(value)
        ]
        return rng.choice(calls) if calls else None
    return calls[0] if len(calls) == 1 else rng.choice(calls)  # a draw among one would change all later draws


def _guessed_answer(gold: GoldChain, rng: random.Random) -> list[ScriptStep] | None:
    """Answer without a call."""
    answer = gold.steps[-1].call
    if rng.random() < LUCKY_GUESS_SHARE:
        return [ScriptStep(answer)]
    if len(answer.arguments) != 1:
        return None
    ((name, value),) = answer.arguments.items()
    if _is_number(value):
        return [ScriptStep(Call(ANSWER, {name: _changed_number(value, rng)}))]
    guesses = [answer for answer in gold.possible_answers() if answer != value] or gold.misreadings(value)
    return [ScriptStep(Call(ANSWER, {name: rng.choice(guesses)}))] if guesses else None


def _malformed_call(gold: GoldChain, rng: random.Random) -> list[ScriptStep]:
    """Break off a call, then repeat it correctly."""
    index = rng.randrange(len(gold.steps) - 1)
    return [*gold.steps[:index], ScriptStep(gold.steps[index].call, malformed=True), *gold.steps[index:]]


def _unknown_function(gold: GoldChain, rng: random.Random) -> list[ScriptStep]:
    """Call a function that does not exist, then the right one."""
    index = rng.randrange(len(gold.steps) - 1)
    call = gold.steps[index].call
    invented = Call(gold.confusions.invented_functions.get(call.name, f"{call.name}_of"), call.arguments)
    return [*gold.steps[:index], ScriptStep(invented), *gold.steps[index:]]


def _repeated_call(gold: GoldChain, rng: random.Random) -> list[ScriptStep]:
    """Make the same call twice in a row."""
    index = rng.randrange(len(gold.steps) - 1)
    return [*gold.steps[: index + 1], *gold.steps[index:]]


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


def _replace_result(arguments: dict[str, Json], result: str, replacement: Json) -> dict[str, Json]:
    return {key: replacement if result_text(value) == result else value for key, value in arguments.items()}


def _changed_number(value: object, rng: random.Random) -> Json:
    return as_argument(read_number(value) + rng.choice([-10, -2, -1, 1, 2, 10]))
