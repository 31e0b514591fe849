"""A family of word problems: its numbers, its gold chain and its wordings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from callwright.errors import CallError
from callwright.functions.numbers import as_argument
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Call, Json
from callwright.tasks.arithmetic import functions

ITEMS = {
    "apple": "apples",
    "bead": "beads",
    "button": "buttons",
    "card": "cards",
    "coin": "coins",
    "cookie": "cookies",
    "egg": "eggs",
    "lemon": "lemons",
    "marble": "marbles",
    "nut": "nuts",
    "orange": "oranges",
    "pear": "pears",
    "pen": "pens",
    "pencil": "pencils",
    "shell": "shells",
    "stamp": "stamps",
    "sticker": "stickers",
    "toy": "toys",
}
FRUITS = ("apples", "lemons", "nuts", "oranges", "pears")
CONTAINERS = {
    "bag": "bags",
    "basket": "baskets",
    "bowl": "bowls",
    "box": "boxes",
    "jar": "jars",
    "pack": "packs",
}
PRICED_THINGS = ("bike", "camera", "chair", "clock", "coat", "lamp", "phone", "radio", "table", "watch")


def draw_things(rng: Random) -> dict[str, str]:
    """Words for the slots {item} {items}, {other} {others} (another kind of item), {fruits}, {box} {boxes}, {thing}."""
    item, other = rng.sample(sorted(ITEMS), 2)
    box = rng.choice(sorted(CONTAINERS))
    return {
        "item": item,
        "items": ITEMS[item],
        "other": other,
        "others": ITEMS[other],
        "fruits": rng.choice(FRUITS),
        "box": box,
        "boxes": CONTAINERS[box],
        "thing": rng.choice(PRICED_THINGS),
    }


MAX_RESULT = 9_999
MAX_RESULT_DECIMALS = 3  # of a result in a family with decimals

_TOOLBOX = Toolbox(functions.ALL)


@dataclass(frozen=True, eq=False)
class ArithmeticFamily:
    """One situation in several wordings.

    Attributes:
        operands: name -> the values that this number of the question may have.
        gold_calls: function and arguments of every gold call before `answer`. An argument is the name of an operand,
            the result of an earlier call ("#1" is the first), a constant, or an equation: "=", then the equation with
            slots for operands ("={count}*x + {more} = {total}").
        wordings: questions with {slots} for operands, people (`callwright.tasks.synthetic`) and `draw_things`.
        decimals: whether results may have up to MAX_RESULT_DECIMALS decimals; if not, they are integers.
        held_out: whether the family occurs in the test split only.
    """

    name: str
    operands: Mapping[str, Sequence[int]]
    gold_calls: tuple[tuple[str | int, ...], ...]
    wordings: tuple[str, ...]
    decimals: bool = False
    held_out: bool = False

    def solve(self, numbers: Mapping[str, int]) -> tuple[Call, ...] | None:
        """The gold chain for these operands, every call executed; None if they do not make a good problem.

        In a good problem results are small positive numbers, and every number occurs once among operands, constants
        and results, so that the origin of each argument is unambiguous.

        Raises:
            CallError: the gold calls are malformed, or divide by zero.
        """
        tools = _TOOLBOX.open()
        used_numbers = {Fraction(number) for number in numbers.values()}
        if len(used_numbers) < len(numbers):
            return None
        used_numbers |= {Fraction(part) for _, *parts in self.gold_calls for part in parts if isinstance(part, int)}
        calls: list[Call] = []
        results: list[Fraction] = []
        for name, *parts in self.gold_calls:
            function = _TOOLBOX.functions[str(name)]
            arguments = [_argument_value(part, numbers, results) for part in parts]
            call = Call(function.name, dict(zip(function.parameters, arguments, strict=False)))
            observation = tools.execute(call)
            if isinstance(observation, CallError):
                raise observation
            result: Fraction = observation.value
            if result in used_numbers or not self._is_allowed_result(result):
                return None
            used_numbers.add(result)
            results.append(result)
            calls.append(call)
        return (*calls, Call(ANSWER, {"value": as_argument(results[-1])}))

    def _is_allowed_result(self, result: Fraction) -> bool:
        decimals = MAX_RESULT_DECIMALS if self.decimals else 0
        return 0 < result <= MAX_RESULT and (result * 10**decimals).denominator == 1


def _argument_value(part: str | int, numbers: Mapping[str, int], results: Sequence[Fraction]) -> Json:
    if isinstance(part, int):
        return part
    if part.startswith("="):
        return part[1:].format(**numbers)
    if part.startswith("#"):
        return as_argument(results[int(part[1:]) - 1])
    return numbers[part]
