"""Functions of translation that training never shows: each does the work of two usual ones, of which one is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random

from callwright.errors import CallError
from callwright.functions.formulas.formula import FormulaArgument, Not, parse_formula
from callwright.functions.function import Function, strict_function
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Call, Problem
from callwright.tasks.parts import TaskUnseen, UnseenFunction
from callwright.tasks.translation.functions import ALL, VariableName, conjoin, exists, for_all, imply, negate


@strict_function(example={"left": "Dog(x)", "right": "Cat(x)"})
def imply_not(left: FormulaArgument, right: FormulaArgument) -> str:
    """If left, then not right."""
    return str(imply(left, Not(right)))


@strict_function(example={"left": "Dog(x)", "right": "Big(x)"})
def but_not(left: FormulaArgument, right: FormulaArgument) -> str:
    """Left, but not right."""
    return str(conjoin(left, Not(right)))


@strict_function(example={"variable": "x", "left": "Dog(x)", "right": "Animal(x)"})
def all_are(variable: VariableName, left: FormulaArgument, right: FormulaArgument) -> str:
    """For all values of the variable: if left, then right."""
    return str(for_all(variable, parse_formula(imply(left, right))))


@strict_function(example={"variable": "x", "left": "Dog(x)", "right": "Big(x)"})
def some_are(variable: VariableName, left: FormulaArgument, right: FormulaArgument) -> str:
    """For at least one value of the variable: both left and right."""
    return str(exists(variable, parse_formula(conjoin(left, right))))


_TOOLBOX = Toolbox(ALL)


def _execute(solution: Sequence[Call]) -> dict[str, Call]:
    """Result -> call with named arguments; `answer` is under its name. Empty if a call cannot be executed."""
    calls = {}
    for call in solution:
        named, result = _TOOLBOX.name_arguments(call), _TOOLBOX.open().execute(call)
        if isinstance(named, CallError) or isinstance(result, CallError):
            return {}
        calls[ANSWER if named.name == ANSWER else result.text] = named
    return calls


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two usual functions, and the new one that does what `outer` does with what `inner` returned as last argument.

    Attributes:
        missing: one of the two, which the prompt does not list.
    """

    function: Function
    outer: Function
    inner: Function
    missing: Function

    def generate(self, problems: Sequence[Problem], count: int, seed: int) -> list[Problem]:
        """Problems whose solution calls the new function and does without the missing one."""
        drawn = Random(f"{seed}/unseen/{self.function.name}").sample(problems, len(problems))
        merged = ((problem, self._merge(problem.solution)) for problem in drawn)
        return list(islice((replace(problem, solution=calls) for problem, calls in merged if calls), count))

    def _merge(self, solution: Sequence[Call]) -> tuple[Call, ...] | None:
        """The solution with the new function; None if it has no pair, or calls the missing function elsewhere."""
        executed = _execute(solution)
        merged = [self._merge_call(call, executed) for call in executed.values()]
        used = {value for call in merged for value in call.arguments.values() if isinstance(value, str)}
        results = zip(executed, merged, strict=True)
        kept = tuple(call for result, call in results if call.name != self.inner.name or result in used)
        names = {call.name for call in kept}
        return kept if self.function.name in names and self.missing.name not in names else None

    def _merge_call(self, call: Call, executed: Mapping[str, Call]) -> Call:
        if call.name != self.outer.name:
            return call
        *others, last = (call.arguments[name] for name in self.outer.parameters)
        inner = executed.get(str(last))
        if inner is None or inner.name != self.inner.name:
            return call
        values = [*others, *(inner.arguments[name] for name in self.inner.parameters)]
        return Call(self.function.name, dict(zip(self.function.parameters, values, strict=True)))

    def known_calls(self, call: Call) -> tuple[Call, ...]:
        """The two calls that do what a call of the new function does."""
        if call.name != self.function.name:
            return (call,)
        values = [call.arguments[name] for name in self.function.parameters]
        others = len(self.outer.parameters) - 1
        inner = Call(self.inner.name, dict(zip(self.inner.parameters, values[others:], strict=True)))
        result = _TOOLBOX.open().execute(inner)
        if isinstance(result, CallError):
            return (call,)
        outer = Call(self.outer.name, dict(zip(self.outer.parameters, [*values[:others], result.text], strict=True)))
        return (inner, outer)


_PAIRS = (
    _Pair(imply_not, outer=imply, inner=negate, missing=negate),
    _Pair(but_not, outer=conjoin, inner=negate, missing=negate),
    _Pair(all_are, outer=for_all, inner=imply, missing=for_all),
    _Pair(some_are, outer=exists, inner=conjoin, missing=exists),
)

UNSEEN = TaskUnseen(
    tuple(UnseenFunction(pair.function, pair.generate, (pair.missing.name,), pair.known_calls) for pair in _PAIRS)
)
