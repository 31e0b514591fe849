"""A family of word problems: which numbers it takes, the gold chain over them, and how it can be worded."""

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
    """Slots: {item} {items} and another kind {other} {others}; {fruits}; {box} {boxes}; {thing}."""
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


MAX_RESULT = 9_999  # of a result
MAX_RESULT_DECIMALS = 3  # of a result, in a family that has decimals

_TOOLBOX = Toolbox(functions.ALL)


@dataclass(frozen=True, eq=False)
class ArithmeticFamily:
    """One situation, told in several ways.

    Attributes:
        operands: the numbers that are given, by name, with the values each may take.
        chain: function and arguments of every gold call before `answer`. An argument is the name of an operand, the
            result of an earlier call ("#1" is the first), a constant, or an equation with slots for
            operands after a first "=" ("={count}*x + {more} = {total}").
        wordings: questions with {slots} for operands, people (see `pool.py`) and things (see `words.py`).
        decimals: results may have up to MAX_RESULT_DECIMALS decimals; else they are whole.
        held_out: of the splits, occurs in the test alone.
    """

    name: str
    operands: Mapping[str, Sequence[int]]
    chain: tuple[tuple[str | int, ...], ...]
    wordings: tuple[str, ...]
    decimals: bool = False
    held_out: bool = False

    @property
    def steps(self) -> int:
        """Gold calls before `answer`."""
        return len(self.chain)

    @property
    def wording_count(self) -> int:
        """Number of wordings."""
        return len(self.wordings)

    def solve(self, numbers: Mapping[str, int]) -> tuple[Call, ...] | None:
        """The gold chain on these operands, every call executed; None when they do not make a good problem.

        A good problem has positive results of a tame size and no number twice among operands, constants and results,
        so that where an argument came from is never in doubt.

        Raises:
            CallError: the chain is malformed, or divides by zero.
        """
        opened = _TOOLBOX.open()
        taken = {Fraction(number) for number in numbers.values()}
        if len(taken) < len(numbers):
            return None
        taken |= {Fraction(part) for _, *parts in self.chain for part in parts if isinstance(part, int)}
        calls: list[Call] = []
        results: list[Fraction] = []
        for name, *parts in self.chain:
            function = _TOOLBOX.functions[str(name)]
            arguments = [_argument_value(part, numbers, results) for part in parts]
            call = Call(function.name, dict(zip(function.parameters, arguments, strict=False)))
            observed = opened.execute(call)
            if isinstance(observed, CallError):
                raise observed
            result: Fraction = observed.value
            if result in taken or not self._is_allowed_result(result):
                return None
            taken.add(result)
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
