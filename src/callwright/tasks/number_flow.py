"""What a chain's results become when the question's numbers are others, and which of its numbers come from nowhere."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from callwright.errors import CallError
from callwright.functions.numbers import as_argument, read_number
from callwright.functions.toolbox import ANSWER, OpenToolbox, Toolbox, parts_of
from callwright.records import Call, Json
from callwright.tasks.changed_numbers import MAX_RESULTS, Change
from callwright.tasks.number_forms import Ratio
from callwright.tasks.question_numbers import USUAL
from callwright.tasks.task import Executed

MAX_PARTS = 64  # of one result that later arguments may follow

_DIGITS = r"[0-9]{1,400}+(?:\.[0-9]{1,400}+)?+(?![0-9.])"
_IN_TEXT = re.compile(rf"(?<![0-9.A-Za-z_])({_DIGITS})(?: ?/ ?({_DIGITS}))?+")
_SIGN = re.compile(r"(?<=[(=])[-−] ?$")  # of the number that follows, and no subtraction
_EXPONENT = re.compile(r"(?:\^|\*\*) ?\(?[-+]?$")


class _Failed:
    """In place of a result whose call can no longer be executed."""


FAILED = _Failed()
Loose: TypeAlias = frozenset[Ratio]
_NONE: Loose = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result after the change.

    Attributes:
        value: FAILED where a call on the way can no longer be executed.
        loose: the numbers on the way to it that are neither the question's nor a result.
    """

    value: Any
    loose: Loose


class Sources(NamedTuple):
    """What an argument follows whose value has several sources: results, the latest first, and then the question.

    Attributes:
        backwards: the question first, and then results, the earliest first.
        apart: equal arguments of one call follow different sources, as in `divide(100, 100)` of a result and the
            cents of a dollar.
        but: the place, among the arguments with several sources, of one that follows its second source; -1 if none.
    """

    backwards: bool = False
    apart: bool = False
    but: int = -1


MAX_ROUNDED = 4  # decimals of a rounded result that is recognised
MAX_ALONE = 6  # arguments with several sources, each of which is tried with its second one

_READINGS = (
    Sources(),
    Sources(backwards=True),
    Sources(apart=True),
    Sources(backwards=True, apart=True),
    *(Sources(backwards, False, place) for place in range(MAX_ALONE) for backwards in (False, True)),
)


def readings(executed: Executed, toolbox: Toolbox, change: Change) -> Iterator[Outcome]:
    """Every result that the chain's answer may be, as it is after a change of the question's numbers.

    The latest result comes first. Where arguments may follow several sources, the same results follow, as they are
    when these are read otherwise.

    An argument that is an earlier result becomes what that result is now; one that is a number of the question
    becomes what stands there now; any other number stays, and is loose. The same goes for the numbers inside a text,
    such as an equation; exponents stay.

    A number that is an earlier result, rounded, is read as that and as a number from nowhere.

    Args:
        executed: ends with an accepted answer.
    """
    several = 0
    for sources in _READINGS:
        if sources != _READINGS[0] and (several == 0 or sources.but >= several):
            continue
        flow = _Flow(toolbox, change, sources)
        for step, value in zip(executed.steps, executed.values, strict=True):
            if step.call is not None and step.observation is not None and step.call.name != ANSWER:
                flow.take(step.call, value)
        several = max(several, flow.several)
        yield from reversed(flow.results.get(ratio_of(executed.values[-1]), ()))


def ratio_of(value: Any) -> Ratio | None:
    """A result as an exact number; None if it is none."""
    match value:
        case bool():
            return None
        case int() | Fraction():
            return value.as_integer_ratio()
        case float() | Decimal() if math.isfinite(value):
            return Fraction(str(value)).as_integer_ratio()
    return None


class _Flow:
    """The results of a chain so far, by what they were before the change."""

    def __init__(self, toolbox: Toolbox, change: Change, sources: Sources) -> None:
        self.results: dict[Any, list[Outcome]] = {}
        self._toolbox = toolbox
        self._tools: OpenToolbox = toolbox.open()
        self._change = change
        self._sources = sources
        self.several = 0  # arguments so far with several sources
        self._seen: Counter[Ratio] = Counter()  # in one call
        self._loose: set[Ratio] = set()
        self._failed = False
        self._broken: list[tuple[Fraction, Outcome]] = []  # results that are no whole numbers

    def take(self, call: Call, before: Any) -> None:
        """Execute a call that returned `before` once more, with the arguments that it has after the change."""
        self._loose, self._failed = set(), False
        self._seen.clear()
        arguments = {key: self._argument(value) for key, value in call.arguments.items()}
        after: Any = FAILED
        if not self._failed:
            changed = arguments != call.arguments or self._toolbox.functions[call.name].stateful
            after = self._result(Call(call.name, arguments)) if changed else before
        loose = frozenset(self._loose)
        for old, new in _paired(before, after):
            key = old if isinstance(old, str) else ratio_of(old)
            if key is None:
                continue
            outcome = Outcome(new, loose)
            self.results.setdefault(key, []).append(outcome)
            if isinstance(key, tuple) and key[1] != 1:
                self._broken.append((Fraction(*key), outcome))

    def _result(self, call: Call) -> Any:
        """What a call returns; remembered where its arguments are numbers and texts."""
        function = self._toolbox.functions[call.name]
        if function.stateful or not all(type(value) in (int, str, float) for value in call.arguments.values()):
            return self._execute(call, user_written=bool(function.refusals))
        known = self._change.results
        key = (function.python, *call.arguments.items())
        if key not in known:
            if len(known) >= MAX_RESULTS:
                known.clear()
            known[key] = self._execute(call, user_written=bool(function.refusals))
        return known[key]

    def _execute(self, call: Call, user_written: bool) -> Any:
        try:
            result = self._tools.execute(call)
        except Exception:
            if not user_written:
                raise
            return FAILED  # the user's function never promised to take numbers that no question asked of it
        return FAILED if isinstance(result, CallError) else result.value

    def _argument(self, value: Json) -> Json:
        if type(value) is int:
            number = value, 1
        elif isinstance(value, bool) or value is None:
            return value
        elif isinstance(value, list):
            return [self._argument(item) for item in value]
        elif isinstance(value, dict):
            return {key: self._argument(item) for key, item in value.items()}
        else:
            try:
                number = read_number(value).as_integer_ratio()
            except ValueError:
                return self._text(value) if isinstance(value, str) else value
        new = self._number(number)
        if new == number:
            return value
        return new[0] if new[1] == 1 else as_argument(Fraction(*new))

    def _number(self, number: Ratio) -> Ratio:
        asked = self._change.of(number)
        results = self.results.get(number)
        twin = self._change.twins.get(number)
        if results is None and twin is None:
            if asked is not None:
                return asked
            rounded = [outcome for old, one in self._broken if (outcome := _rounded(number, old, one)) is not None]
            if not rounded:
                self._loose.add(number)
                return number
            choices = [Outcome(Fraction(*number), frozenset((number,))), *rounded]
        else:
            choices = results[::-1] if results is not None else []
            choices += [Outcome(Fraction(*one), _NONE) for one in (asked, twin) if one is not None]
        chosen = self._choose(choices, number) if len(choices) > 1 or number in USUAL else choices[0]
        self._loose |= chosen.loose
        new = ratio_of(chosen.value)
        self._failed |= new is None
        return new or number

    def _choose(self, choices: list[Outcome], number: Ratio) -> Outcome:
        if self._sources.backwards:
            choices.reverse()
        if self._sources.apart and number in USUAL:
            choices.append(Outcome(Fraction(*number), frozenset((number,))))
        place = self._seen[number] if self._sources.apart else int(self.several == self._sources.but)
        self._seen[number] += 1
        self.several += 1
        return choices[place % len(choices)]

    def _text(self, text: str) -> str:
        results = self.results.get(text)
        if results is None:
            return "".join(self._pieces(text))
        self._loose |= results[-1].loose
        self._failed |= not isinstance(results[-1].value, str)
        return str(results[-1].value)

    def _pieces(self, text: str) -> Iterator[str]:
        end = 0
        for found in _IN_TEXT.finditer(text):
            start = found.start()
            sign = _SIGN.search(text, max(end, start - 3), start)
            negative = sign is not None and found[2] is None and self._negative(found[1])
            yield text[end : start - (len(sign[0]) if sign and negative else 0)]
            end = found.end()
            if negative:
                yield negative
            elif _EXPONENT.search(text, max(0, start - 5), start):
                yield found[0]
            else:
                yield from self._quotient(found[1], found[2])
        yield text[end:]

    def _negative(self, digits: str) -> str | None:
        """A number with a sign before it, in brackets, where it is known with the sign alone."""
        number = Fraction(digits)
        if self._is_known(number.as_integer_ratio()) or (-number).as_integer_ratio() not in self.results:
            return None
        return f"({Fraction(*self._number((-number).as_integer_ratio()))})"

    def _quotient(self, over: str, under: str | None) -> Iterator[str]:
        """A number, or a quotient of two: one number where it is known as such, and its parts are not."""
        parts = [Fraction(part).as_integer_ratio() for part in (over, under) if part is not None]
        if len(parts) == 2 and parts[1][0] and not all(map(self._is_known, parts)):
            whole = (Fraction(*parts[0]) / Fraction(*parts[1])).as_integer_ratio()
            if self._is_known(whole):
                yield _in_equation(self._number(whole))
                return
        written = [part for part in (over, under) if part is not None]
        news = [(text, part, self._number(part)) for text, part in zip(written, parts, strict=True)]
        yield "/".join(text if new == part else _in_equation(new) for text, part, new in news)

    def _is_known(self, number: Ratio) -> bool:
        return number in self.results or self._change.of(number) is not None


def _rounded(number: Ratio, result: Fraction, outcome: Outcome) -> Outcome | None:
    """What a number is that somebody wrote for an earlier result, rounded; None if the result does not round to it."""
    new = ratio_of(outcome.value)
    written = Fraction(*number)
    if new is None or not written or abs(written - result) >= 1:
        return None
    if number[1] == 1:
        ways = [math.floor, math.ceil]
    else:
        decimals = next((places for places in range(1, MAX_ROUNDED + 1) if 10**places % number[1] == 0), None)
        ways = [] if decimals is None else [partial(round, ndigits=decimals)]
    value = next((Fraction(way(Fraction(*new))) for way in ways if way(result) == written), None)
    return None if value is None else Outcome(value, outcome.loose)


def _in_equation(number: Ratio) -> str:
    """As a factor or a summand, wherever it stands."""
    over = f"/{number[1]}" if number[1] != 1 else ""
    return f"({number[0]}{over})" if over or number[0] < 0 else str(number[0])


def _paired(before: Any, after: Any) -> Iterable[tuple[Any, Any]]:
    """A result and its parts, each with what it is after the change."""
    if not isinstance(before, list | tuple | dict | set | frozenset):
        return ((before, after),)
    old, new = _parts(before), _parts(after) if after is not FAILED else []
    return zip(old, new if len(old) == len(new) else [FAILED] * len(old), strict=True)


def _parts(value: Any) -> list[Any]:
    return list(islice(parts_of(value), MAX_PARTS))
