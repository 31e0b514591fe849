"""A clause of a word problem: what it says, and the calls that it adds to the gold chain.

A clause works on the story's quantity: the first clause introduces it, each further clause changes it. A clause also
knows how to ask for the quantity that it leaves, for stories that end with it.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from callwright.functions.numbers import as_argument
from callwright.records import Call, Json
from callwright.tasks.arithmetic import functions

MAX_RESULT = 9_999
MAX_DECIMALS = 3  # of a result that is rounded afterwards
MAX_TRIES = 8  # draws of a clause's numbers for the quantity so far; then the whole story is drawn anew

START, END = "start", "end"  # kinds: no quantity yet, and a quantity that no clause changes
Exact = int | Fraction


def _quotient(a: Exact, b: Exact) -> Exact:
    return Fraction(a, b) if a % b else a // b


_OPERATIONS: Mapping[str, Callable[..., Exact]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": _quotient,
    "power": operator.pow,
    "remainder": operator.mod,
    "percent_of": lambda amount, percent: _quotient(amount * percent, 100),
    "round_to": lambda number, _: int(number * 2 + 1) // 2,  # to an integer
    "solve": lambda factor, addend, total: _quotient(total - addend, factor),
}
"""As the task's functions on positive numbers, without their checks, which would take most of a draw's time."""

_PARAMETERS = {function.name: tuple(function.parameters) for function in functions.ALL}


@dataclass(frozen=True, eq=False)
class Clause:
    """One or two sentences of a story.

    Attributes:
        takes: the kind of quantity that it changes, such as "items" or "money"; START if it begins a story.
        gives: the kind of quantity that it leaves.
        operands: name -> the values that this number of the clause may have.
        calls: function and arguments of each gold call. An argument is an operand, a constant, the quantity so far
            ("q"), or the result of an earlier call of the clause ("r1" is the first). `solve` has the factor, the
            addend and the sum of the equation. Empty if there is nothing to calculate: the quantity is the operand.
        wordings: what it says. In each, a sentence after "*" is a fact, which may be anywhere in the story. "@" is
            the story's person, by name or pronoun; {the} stands before the quantity.
        questions: what may be asked if the story ends with this clause.
        leaves: {the} of the next clause: "the", "the remaining" or "these".
    """

    takes: str
    gives: str
    operands: Mapping[str, Sequence[int]]
    calls: tuple[tuple[str, ...], ...]
    wordings: tuple[str, ...]
    questions: tuple[str, ...]
    leaves: str

    @property
    def constants(self) -> set[int]:
        """The numbers of the gold calls that no sentence mentions."""
        return {int(part) for _, *parts in self.calls for part in parts if part.isdecimal()}

    def draw(self, quantity: Exact, used: set[Exact], rng: Random) -> "DrawnClause | None":
        """The clause with numbers that fit the quantity so far; None if there are none in MAX_TRIES draws.

        Results are positive integers of at most MAX_RESULT (with up to MAX_DECIMALS decimals if they are rounded
        next), and every number occurs once in a problem, so that the origin of each argument is unambiguous.

        Args:
            used: the numbers of the problem so far.
        """
        for _ in range(MAX_TRIES):
            numbers = {name: rng.choice(values) for name, values in self.operands.items()}
            if len({*numbers.values()} - used) == len(numbers) and (drawn := self._calculate(numbers, quantity, used)):
                return drawn
        return None

    def _calculate(self, numbers: dict[str, int], quantity: Exact, used: set[Exact]) -> "DrawnClause | None":
        values: dict[str, Exact] = {"q": quantity, **numbers}
        new: set[Exact] = {*numbers.values()}
        calls: list[tuple[str, list[Exact]]] = []
        for function, *parts in self.calls:
            arguments = [values[part] if part in values else int(part) for part in parts]
            result = _OPERATIONS[function](*arguments)
            if not self._is_allowed(result) or result in new or result in used:
                return None
            new.add(result)
            calls.append((function, arguments))
            values[f"r{len(calls)}"] = quantity = result
        return DrawnClause(self, numbers, calls, quantity if calls else numbers["a"], new)

    def _is_allowed(self, result: Exact) -> bool:
        if isinstance(result, Fraction) and (self.calls[-1][0] != "round_to" or 10**MAX_DECIMALS % result.denominator):
            return False
        return 0 < result <= MAX_RESULT


@dataclass(frozen=True, slots=True)
class DrawnClause:
    """A clause with its numbers.

    Attributes:
        calls: function and arguments of each gold call.
        quantity: what the clause leaves.
        used: its numbers and its results.
    """

    clause: Clause
    numbers: Mapping[str, int]
    calls: Sequence[tuple[str, Sequence[Exact]]]
    quantity: Exact
    used: set[Exact]

    def gold_calls(self) -> list[Call]:
        """The calls as records."""
        return [_as_call(function, arguments) for function, arguments in self.calls]


def _as_call(function: str, arguments: Sequence[Exact]) -> Call:
    if function == "solve":
        return Call(function, {"equation": "{}*x + {} = {}".format(*arguments)})
    return Call(function, dict(zip(_PARAMETERS[function], map(_as_argument, arguments), strict=True)))


def _as_argument(number: Exact) -> Json:
    return number if isinstance(number, int) else as_argument(number)


def read_clauses(table: str) -> dict[str, Clause]:
    """The clauses of a table, by name.

    A clause is a line "name: takes -> gives | operands | calls | leaves", then indented lines: its wordings, one a
    line, and its questions with " / " between them. Operands are ranges (a=3..39, with a step p=5..95:5) or lists
    (n=4,5,8). A missing `leaves` is "the".
    """
    clauses = {}
    for block in re.split(r"\n(?=\S)", table.strip()):
        header, *sentences = map(str.strip, block.splitlines())
        name_and_kinds, operands, calls, *leaves = (part.strip() for part in header.split("|"))
        name, kinds = name_and_kinds.split(": ")
        takes, gives = kinds.split(" -> ")
        named_ranges = (operand.split("=") for operand in operands.split())
        clauses[name] = Clause(
            takes,
            gives,
            {operand: _read_values(values) for operand, values in named_ranges},
            tuple(tuple(call.split()) for call in calls.split(", ") if call),
            tuple(sentence for sentence in sentences if not sentence.endswith("?")),
            tuple(question for line in sentences if line.endswith("?") for question in line.split(" / ")),
            leaves[0] if leaves else "the",
        )
    return clauses


def _read_values(text: str) -> Sequence[int]:
    if ".." not in text:
        return tuple(map(int, text.split(",")))
    limits, _, step = text.partition(":")
    first, last = map(int, limits.split(".."))
    return range(first, last + 1, int(step or 1))
