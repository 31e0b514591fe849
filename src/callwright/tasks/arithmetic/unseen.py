"""Functions of arithmetic that training never shows, and word problems that need them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from random import Random

from callwright.errors import CallError, DataError
from callwright.functions.function import Function, strict_function
from callwright.functions.numbers import Number, WholeNumber, as_argument, execution_error
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import SYNTHETIC, Call, Problem
from callwright.tasks.arithmetic import functions
from callwright.tasks.parts import TaskUnseen, UnseenFunction
from callwright.tasks.people import TEST_PEOPLE

_ITEMS = ("apples", "buttons", "cards", "coins", "eggs", "lemons", "pears", "pens", "shells", "stamps", "toys")
_THINGS = ("bike", "camera", "chair", "clock", "coat", "lamp", "phone", "radio", "table", "watch")
_MAX_TRIES = 10_000  # draws of numbers; of the rarest situation about every tenth fits


@strict_function(example={"a": 4, "b": 9})
def larger_of(a: Number, b: Number) -> Number:
    """The larger of two numbers."""
    return max(a, b)


@strict_function(example={"a": 4, "b": 9})
def smaller_of(a: Number, b: Number) -> Number:
    """The smaller of two numbers."""
    return min(a, b)


@strict_function(example={"a": 12, "b": 18})
def common_divisor(a: WholeNumber, b: WholeNumber) -> int:
    """The largest whole number that divides two numbers with nothing left over."""
    return math.gcd(a, b)


@strict_function(example={"a": 4, "b": 6})
def common_multiple(a: WholeNumber, b: WholeNumber) -> int:
    """The smallest number that two numbers divide with nothing left over."""
    return math.lcm(a, b)


@strict_function(example={"a": 17, "b": 5})
def full_groups(a: Number, b: Number) -> int:
    """How many whole groups of the second number the first one fills; the rest does not count."""
    if b == 0:
        raise execution_error("cannot divide by zero")
    return a // b


@strict_function(example={"a": 17, "b": 5})
def groups_needed(a: Number, b: Number) -> int:
    """How many groups of the second number hold all of the first one; the last group may not be full."""
    if b == 0:
        raise execution_error("cannot divide by zero")
    return math.ceil(a / b)


@strict_function(example={"number": 274})
def digit_sum(number: WholeNumber) -> int:
    """The sum of the digits of a whole number."""
    return sum(int(digit) for digit in str(abs(number)))


@dataclass(frozen=True, slots=True)
class _Situation:
    """A question with {slots} for numbers, {name}, {items}, {others} and {thing}.

    Attributes:
        calls: function and arguments of each gold call before `answer`: a slot, or "#1", the first call's result.
        numbers: slot -> the values that it may have.
    """

    question: str
    calls: tuple[tuple[str, ...], ...]
    numbers: Mapping[str, Sequence[int]]


_AMOUNTS = {"a": range(11, 400), "b": range(11, 400), "c": range(3, 10)}
_SMALL_AMOUNTS = {"a": range(6, 61), "b": range(6, 61), "c": range(3, 10)}
_TOTAL_AND_SIZE = {"a": range(50, 400), "b": range(6, 30), "c": range(3, 10)}
_LONG_NUMBER = {"a": range(137, 999), "b": range(3, 60)}

_SITUATIONS: dict[str, tuple[_Situation, ...]] = {
    "larger_of": (
        _Situation(
            "{name} has {a} {items} and {friend} has {b}. How many {items} does the one with more {items} have?",
            (("larger_of", "a", "b"),),
            _AMOUNTS,
        ),
        _Situation(
            "One box holds {a} {items} and another box holds {b}. {name} fills the larger box {c} times. "
            "How many {items} is that?",
            (("larger_of", "a", "b"), ("multiply", "#1", "c")),
            _AMOUNTS,
        ),
        _Situation(
            "A {thing} costs {a} dollars at one shop and {b} dollars at another. {name} pays the larger price and has "
            "{c} dollars left. How many dollars did {name} have before?",
            (("larger_of", "a", "b"), ("add", "#1", "c")),
            _AMOUNTS,
        ),
    ),
    "smaller_of": (
        _Situation(
            "A {thing} costs {a} dollars at one shop and {b} dollars at another. How many dollars does {name} pay at "
            "the shop with the smaller price?",
            (("smaller_of", "a", "b"),),
            _AMOUNTS,
        ),
        _Situation(
            "A {thing} costs {a} dollars at one shop and {b} dollars at another. {name} buys {c} of them for the "
            "smaller price. How many dollars does {name} pay?",
            (("smaller_of", "a", "b"), ("multiply", "#1", "c")),
            _AMOUNTS,
        ),
        _Situation(
            "{name} has {a} {items} and {friend} has {b}. The one with fewer {items} finds {c} more. "
            "How many {items} does that child have now?",
            (("smaller_of", "a", "b"), ("add", "#1", "c")),
            _AMOUNTS,
        ),
    ),
    "common_divisor": (
        _Situation(
            "{name} puts {a} {items} and {b} {others} into as many equal bags as possible, with nothing left over. "
            "How many bags are there?",
            (("common_divisor", "a", "b"),),
            _SMALL_AMOUNTS,
        ),
        _Situation(
            "{name} cuts two ropes of {a} and {b} meters into equal parts, as long as possible, with nothing left "
            "over. How many meters long is each part?",
            (("common_divisor", "a", "b"),),
            _SMALL_AMOUNTS,
        ),
        _Situation(
            "{name} puts {a} {items} and {b} {others} into as many equal bags as possible, with nothing left over. "
            "Each bag costs {c} dollars. How many dollars do the bags cost?",
            (("common_divisor", "a", "b"), ("multiply", "#1", "c")),
            _SMALL_AMOUNTS,
        ),
    ),
    "common_multiple": (
        _Situation(
            "One bus comes every {a} minutes and another every {b} minutes. Both are here now. "
            "After how many minutes are both here again?",
            (("common_multiple", "a", "b"),),
            _SMALL_AMOUNTS,
        ),
        _Situation(
            "There are packs of {a} {items} and packs of {b} {others}. {name} wants the same number of both. "
            "How many {items} does {name} need at least?",
            (("common_multiple", "a", "b"),),
            _SMALL_AMOUNTS,
        ),
        _Situation(
            "One bus comes every {a} minutes and another every {b} minutes. Both were here {c} minutes ago. "
            "After how many more minutes are both here again?",
            (("common_multiple", "a", "b"), ("subtract", "#1", "c")),
            _SMALL_AMOUNTS,
        ),
    ),
    "full_groups": (
        _Situation(
            "{name} has {a} {items} and puts {b} of them into each box. How many boxes are full?",
            (("full_groups", "a", "b"),),
            _TOTAL_AND_SIZE,
        ),
        _Situation(
            "A toy costs {b} dollars. How many toys does {name} get for {a} dollars?",
            (("full_groups", "a", "b"),),
            _TOTAL_AND_SIZE,
        ),
        _Situation(
            "{name} has {a} {items} and puts {b} of them into each box. {name} sells each full box for {c} dollars. "
            "How many dollars does {name} get?",
            (("full_groups", "a", "b"), ("multiply", "#1", "c")),
            _TOTAL_AND_SIZE,
        ),
    ),
    "groups_needed": (
        _Situation(
            "A school takes {a} children to a farm in buses with {b} seats. How many buses does the school need?",
            (("groups_needed", "a", "b"),),
            _TOTAL_AND_SIZE,
        ),
        _Situation(
            "{name} needs {a} {items}. There are {b} {items} in each pack. How many packs does {name} have to buy?",
            (("groups_needed", "a", "b"),),
            _TOTAL_AND_SIZE,
        ),
        _Situation(
            "{name} needs {a} {items}. There are {b} {items} in each pack, and a pack costs {c} dollars. "
            "How many dollars does {name} have to pay?",
            (("groups_needed", "a", "b"), ("multiply", "#1", "c")),
            _TOTAL_AND_SIZE,
        ),
    ),
    "digit_sum": (
        _Situation(
            "The number of the house of {name} is {a}. What is the sum of its digits?",
            (("digit_sum", "a"),),
            _LONG_NUMBER,
        ),
        _Situation(
            "{name} takes the sum of the digits of {a} and gets {b} {items} for each. How many {items} is that?",
            (("digit_sum", "a"), ("multiply", "#1", "b")),
            _LONG_NUMBER,
        ),
        _Situation(
            "{name} adds {b} to the sum of the digits of {a}. What is the result?",
            (("digit_sum", "a"), ("add", "#1", "b")),
            _LONG_NUMBER,
        ),
    ),
}
_FUNCTIONS = (larger_of, smaller_of, common_divisor, common_multiple, full_groups, groups_needed, digit_sum)
_TOOLBOX = Toolbox((*functions.ALL[:-1], *_FUNCTIONS, functions.answer))


def _generate(function: Function, _: Sequence[Problem], count: int, seed: int) -> list[Problem]:
    rng = Random(f"{seed}/unseen/{function.name}")
    situations = _SITUATIONS[function.name]
    return [_draw(function.name, index % len(situations), rng) for index in range(count)]


def _draw(function: str, index: int, rng: Random) -> Problem:
    situation = _SITUATIONS[function][index]
    person, friend = rng.sample(TEST_PEOPLE, 2)
    items, others = rng.sample(_ITEMS, 2)
    words = {"name": person.name, "friend": friend.name, "items": items, "others": others, "thing": rng.choice(_THINGS)}
    for _ in range(_MAX_TRIES):
        numbers = {slot: rng.choice(values) for slot, values in situation.numbers.items()}
        if calls := _solve(situation, numbers):
            question = situation.question.format(**numbers, **words)
            answer = str(calls[-1].arguments["value"])
            return Problem("", "arithmetic", question, answer, calls, SYNTHETIC, f"{function}/{index}", "test")
    raise DataError(f"unseen {function}: no numbers fit in {_MAX_TRIES:,} tries")


def _solve(situation: _Situation, numbers: Mapping[str, int]) -> tuple[Call, ...] | None:
    """The gold chain; None if a number occurs twice, or if another function would give the new one's result."""
    a, b, *_ = numbers.values()
    used = {Fraction(number) for number in numbers.values()}
    if len(used) < len(numbers):
        return None
    usual = {Fraction(number) for number in (1, a + b, a * b, a - b, b - a)} | {Fraction(a, b), Fraction(b, a)}
    tools, calls, results = _TOOLBOX.open(), list[Call](), list[Fraction]()
    for index, (name, *parts) in enumerate(situation.calls):
        values = [as_argument(results[0]) if part == "#1" else numbers[part] for part in parts]
        call = Call(name, dict(zip(_TOOLBOX.functions[name].parameters, values, strict=True)))
        observation = tools.execute(call)
        if isinstance(observation, CallError):
            raise observation
        result = Fraction(observation.value)
        picks_one = name in ("larger_of", "smaller_of")
        if result <= 0 or (index == 0 and result in usual) or (result in used and not picks_one):
            return None
        results.append(result)
        calls.append(call)
    return (*calls, Call(ANSWER, {"value": as_argument(results[-1])}))


UNSEEN = TaskUnseen(tuple(UnseenFunction(function, partial(_generate, function)) for function in _FUNCTIONS))
