"""Execute one call after another with the arguments that they have after the question's numbers changed.

An argument that equals an earlier result becomes that result after the change. An argument that equals a number of the
question becomes the number that replaces it. Any other number keeps its value and is unexplained. The numbers in a
text, such as an equation, are treated the same way, except that exponents keep their value.

A number that equals a rounded earlier result is tried as that result and as an unexplained number.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from callwright.errors import CallError
from callwright.functions.function import Function
from callwright.functions.numbers import as_argument, read_number
from callwright.functions.toolbox import OpenToolbox, Toolbox, walk_value
from callwright.records import Call, Json
from callwright.tasks.arithmetic.changed_numbers import MAX_RESULTS, NumberChange
from callwright.tasks.arithmetic.number_forms import Ratio, replace_numbers
from callwright.tasks.arithmetic.question_numbers import COMMON_NUMBERS

MAX_PARTS = 64  # parts of one result that are remembered, as later arguments may repeat them
MAX_ROUNDED_DECIMALS = 4  # decimals up to which a rounded result is recognised


class _Failed:
    """The type of FAILED."""


FAILED = _Failed()
"""The result of a call that fails after the change."""

NumberSet: TypeAlias = frozenset[Ratio]
NO_NUMBERS: NumberSet = frozenset()


@dataclass(frozen=True, slots=True)
class ChangedResult:
    """A result after the change.

    Attributes:
        value: FAILED if one of the calls that lead to it fails after the change.
        unexplained: the unexplained numbers among the arguments of the calls that lead to it.
    """

    value: Any
    unexplained: NumberSet


class SourceChoice(NamedTuple):
    """Which source to choose for an argument that equals several of them.

    By default the latest result comes first, then earlier results, then the question.

    Attributes:
        question_first: reverse the order: the question first, then the earliest result.
        different_per_argument: equal arguments of one call take different sources, as in `divide(100, 100)`, where one
            100 is a result and the other is the number of cents in a dollar.
        second_source_index: index, among the arguments with several sources, of the only one that takes its second
            source; -1 if there is none.
    """

    question_first: bool = False
    different_per_argument: bool = False
    second_source_index: int = -1


def to_ratio(value: Any) -> Ratio | None:
    """A result as an exact number; None if it is not a finite number."""
    match value:
        case bool():
            return None
        case int() | Fraction():
            return value.as_integer_ratio()
        case float() | Decimal() if math.isfinite(value):
            return Fraction(str(value)).as_integer_ratio()
    return None


class ChangedRun:
    """Executes a chain's calls after the change.

    Attributes:
        results: recorded result -> its values after the change, one per call that returned it.
        ambiguous_count: how many arguments so far have several sources.
    """

    def __init__(self, toolbox: Toolbox, change: NumberChange, sources: SourceChoice) -> None:
        self.results: dict[Any, list[ChangedResult]] = {}
        self.ambiguous_count = 0
        self._toolbox = toolbox
        self._tools: OpenToolbox = toolbox.open()
        self._change = change
        self._sources = sources
        self._fractions: list[tuple[Fraction, ChangedResult]] = []  # results that are not integers
        # Of the current call:
        self._uses: Counter[Ratio] = Counter()  # how often the call uses each ambiguous number
        self._unexplained: set[Ratio] = set()
        self._failed = False

    def rerun_call(self, call: Call, recorded_result: Any) -> None:
        """Execute a call with its changed arguments, and add the result to `results`."""
        self._unexplained, self._failed = set(), False
        self._uses.clear()
        arguments = {key: self._replace_argument(value) for key, value in call.arguments.items()}
        changed_result: Any = FAILED
        if not self._failed:
            must_execute = arguments != call.arguments or self._function(call).stateful
            changed_result = self._result(Call(call.name, arguments)) if must_execute else recorded_result
        unexplained = frozenset(self._unexplained)
        for old, new in _match_parts(recorded_result, changed_result):
            key = old if isinstance(old, str) else to_ratio(old)
            if key is None:
                continue
            result = ChangedResult(new, unexplained)
            self.results.setdefault(key, []).append(result)
            if isinstance(key, tuple) and key[1] != 1:
                self._fractions.append((Fraction(*key), result))

    def _function(self, call: Call) -> Function:
        function = self._toolbox.find(call.name)
        assert function is not None, "the call was executed"
        return function

    def _result(self, call: Call) -> Any:
        """What a call returns. Cached if the function is stateless and all arguments are numbers and texts."""
        function = self._function(call)
        if function.stateful or not all(type(value) in (int, str, float) for value in call.arguments.values()):
            return self._execute(call, user_written=bool(function.refusals))
        cached = self._change.results
        key = (function.python, *call.arguments.items())
        if key not in cached:
            if len(cached) >= MAX_RESULTS:
                cached.clear()
            cached[key] = self._execute(call, user_written=bool(function.refusals))
        return cached[key]

    def _execute(self, call: Call, user_written: bool) -> Any:
        try:
            result = self._tools.execute(call)
        except Exception:
            if not user_written:
                raise
            return FAILED  # a user's function need not accept numbers that no question contains
        return FAILED if isinstance(result, CallError) else result.value

    def _replace_argument(self, value: Json) -> Json:
        if type(value) is int:
            number = value, 1
        elif isinstance(value, bool) or value is None:
            return value
        elif isinstance(value, list):
            return [self._replace_argument(item) for item in value]
        elif isinstance(value, dict):
            return {key: self._replace_argument(item) for key, item in value.items()}
        else:
            try:
                number = read_number(value).as_integer_ratio()
            except ValueError:
                return self._replace_text(value) if isinstance(value, str) else value
        new = self.replace(number)
        if new == number:
            return value
        return new[0] if new[1] == 1 else as_argument(Fraction(*new))

    def replace(self, number: Ratio) -> Ratio:
        """The number after the change. Collects the unexplained numbers that it depends on."""
        in_question = self._change.replacement_for(number)
        results = self.results.get(number)
        second_replacement = self._change.second_replacements.get(number)
        if results is None and second_replacement is None:
            if in_question is not None:
                return in_question
            candidates = (_changed_rounded_result(number, old, result) for old, result in self._fractions)
            rounded = [result for result in candidates if result is not None]
            if not rounded:
                self._unexplained.add(number)
                return number
            choices = [ChangedResult(Fraction(*number), frozenset((number,))), *rounded]
        else:
            choices = results[::-1] if results is not None else []
            replacements = (in_question, second_replacement)
            choices += [ChangedResult(Fraction(*ratio), NO_NUMBERS) for ratio in replacements if ratio is not None]
        chosen = self._choose(choices, number) if len(choices) > 1 or number in COMMON_NUMBERS else choices[0]
        self._unexplained |= chosen.unexplained
        new = to_ratio(chosen.value)
        self._failed |= new is None
        return new or number

    def _choose(self, choices: list[ChangedResult], number: Ratio) -> ChangedResult:
        if self._sources.question_first:
            choices.reverse()
        if self._sources.different_per_argument and number in COMMON_NUMBERS:
            choices.append(ChangedResult(Fraction(*number), frozenset((number,))))
        choice = (
            self._uses[number]
            if self._sources.different_per_argument
            else int(self.ambiguous_count == self._sources.second_source_index)
        )
        self._uses[number] += 1
        self.ambiguous_count += 1
        return choices[choice % len(choices)]

    def _replace_text(self, text: str) -> str:
        results = self.results.get(text)
        if results is None:
            return replace_numbers(text, self)
        self._unexplained |= results[-1].unexplained
        self._failed |= not isinstance(results[-1].value, str)
        return str(results[-1].value)

    def is_result(self, number: Ratio) -> bool:
        """Whether an earlier call returned the number."""
        return number in self.results

    def is_known(self, number: Ratio) -> bool:
        """Whether the number is an earlier result or is in the question."""
        return number in self.results or self._change.replacement_for(number) is not None


def _changed_rounded_result(number: Ratio, old: Fraction, result: ChangedResult) -> ChangedResult | None:
    """The changed result, rounded as the number is; None if the old result does not round to the number."""
    new = to_ratio(result.value)
    rounded = Fraction(*number)
    if new is None or not rounded or abs(rounded - old) >= 1:
        return None
    if number[1] == 1:
        roundings = [math.floor, math.ceil]
    else:
        decimals = next((count for count in range(1, MAX_ROUNDED_DECIMALS + 1) if 10**count % number[1] == 0), None)
        roundings = [] if decimals is None else [partial(round, ndigits=decimals)]
    value = next((Fraction(rounding(Fraction(*new))) for rounding in roundings if rounding(old) == rounded), None)
    return None if value is None else ChangedResult(value, result.unexplained)


def _match_parts(before: Any, after: Any) -> Iterable[tuple[Any, Any]]:
    """A result and its parts, each with its value after the change."""
    if not isinstance(before, list | tuple | dict | set | frozenset):
        return ((before, after),)
    old_parts, new_parts = _parts(before), _parts(after) if after is not FAILED else []
    return zip(old_parts, new_parts if len(old_parts) == len(new_parts) else [FAILED] * len(old_parts), strict=True)


def _parts(value: Any) -> list[Any]:
    return list(islice(walk_value(value), MAX_PARTS))
