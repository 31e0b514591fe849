"""Functions of entailment that training never shows: each does the work of a usual one in another way."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from random import Random

from callwright.errors import CallError
from callwright.functions.formulas.formula import Formula, FormulaArgument, Not, format_formula, parse_formula
from callwright.functions.function import strict_function
from callwright.records import Call, Problem
from callwright.tasks.entailment.functions import assume, entails
from callwright.tasks.parts import TaskUnseen, UnseenFunction


@strict_function(example={"formula": "Cat(rex)"})
def assume_false(state: list[Formula], formula: FormulaArgument) -> str:
    """Assume that a formula is false."""
    return str(assume(state, Not(formula)))


@strict_function(example={"first": "all x. (Cat(x) -> Kind(x))", "second": "Cat(rex)"})
def assume_both(state: list[Formula], first: FormulaArgument, second: FormulaArgument) -> str:
    """Assume two premises, both written as formulas."""
    before = list(state)
    try:
        assume(state, first)
        return str(assume(state, second))
    except CallError:
        state[:] = before  # the call is refused as a whole
        raise


@strict_function(example={"formula": "Kind(rex)"})
def denies(state: list[Formula], formula: FormulaArgument) -> str:
    """Whether the assumptions make a formula false: True if it is false, False if it is true, or neither (Unknown)."""
    return str(entails(state, Not(formula)))


def _opposite(text: str) -> str:
    """The text of a formula's opposite, without a double `not`."""
    formula = parse_formula(text)
    return format_formula(formula.body if isinstance(formula, Not) else Not(formula))


def _with_assume_false(solution: Sequence[Call]) -> list[Call]:
    return [
        Call(assume_false.name, {"formula": _opposite(str(call.arguments["formula"]))})
        if call.name == assume.name
        else call
        for call in solution
    ]


def _with_assume_both(solution: Sequence[Call]) -> list[Call]:
    premises = [call.arguments["formula"] for call in solution if call.name == assume.name]
    if len(premises) % 2:
        return []
    pairs = zip(premises[::2], premises[1::2], strict=True)
    calls = [Call(assume_both.name, {"first": first, "second": second}) for first, second in pairs]
    return [*calls, *(call for call in solution if call.name != assume.name)]


def _with_denies(solution: Sequence[Call]) -> list[Call]:
    return [
        Call(denies.name, {"formula": _opposite(str(call.arguments["formula"]))}) if call.name == entails.name else call
        for call in solution
    ]


def _known_calls(call: Call) -> tuple[Call, ...]:
    """The calls of `assume` and `entails` that do what a call of a new function does."""
    arguments = call.arguments
    if call.name == assume_both.name:
        return (Call(assume.name, {"formula": arguments["first"]}), Call(assume.name, {"formula": arguments["second"]}))
    usual = {assume_false.name: assume.name, denies.name: entails.name}.get(call.name)
    if usual is None:
        return (call,)
    return (Call(usual, {"formula": format_formula(Not(parse_formula(str(arguments["formula"]))))}),)


def _generate(
    change: Callable[[Sequence[Call]], list[Call]], name: str, problems: Sequence[Problem], count: int, seed: int
) -> list[Problem]:
    """Some of the problems, with the changed solution, which calls the new function."""
    solved = [problem for problem in problems if problem.solution]
    drawn = Random(f"{seed}/unseen/{name}").sample(solved, len(solved))
    changed = ((problem, change(problem.solution)) for problem in drawn)
    return list(
        islice(
            (
                replace(problem, solution=tuple(calls))
                for problem, calls in changed
                if any(call.name == name for call in calls)
            ),
            count,
        )
    )


UNSEEN = TaskUnseen(
    tuple(
        UnseenFunction(function, partial(_generate, change, function.name), (missing.name,), _known_calls, missing.name)
        for function, change, missing in (
            (assume_false, _with_assume_false, assume),
            (assume_both, _with_assume_both, assume),
            (denies, _with_denies, entails),
        )
    )
)
