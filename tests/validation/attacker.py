"""An attacker that knows the answer and searches for chains without the question's numbers that are judged correct."""

import random
from collections.abc import Iterator
from fractions import Fraction

from callwright.functions.numbers import as_argument, read_number
from callwright.records import Call, Chain, Problem
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.question_numbers import find_numbers
from callwright.validation.replay import check_chain
from tests.validation.known_chains import answer, equation, executed_chain, known_numbers, two_argument_call

MAX_CALLS = 4
_NAMES = ("add", "subtract", "multiply", "divide", "power", "remainder", "percent_of", "round_to", "solve")


def attacks(problem: Problem, count: int, seed: int) -> Iterator[Chain]:
    """Up to `count` chains that end with the right answer without a number of the question in any call."""
    rng = random.Random(f"{seed}/{problem.id}")
    known = known_numbers(problem.question)
    value = read_number(problem.answer)
    if value in known:
        return  # the answer is in the question, so any call that returns it uses a number of the question
    for _ in range(count):
        calls = _calls_that_return(value, rng, known)
        used = {number for call in calls for number in _literals(call)}
        if not used & known:
            yield executed_chain(problem, [*calls, answer(as_argument(value))])


def successes(problem: Problem, count: int, seed: int) -> list[Chain]:
    """The attacks that are judged correct."""
    return [
        chain
        for chain in attacks(problem, count, seed)
        if check_chain(chain, problem, TASKS[problem.task]).verdict.correct
    ]


def _calls_that_return(value: Fraction, rng: random.Random, known: set[Fraction]) -> list[Call]:
    """Calls of which the last returns the value, and each other one an operand of the next."""
    calls: list[Call] = []
    target = value
    for _ in range(rng.randrange(1, MAX_CALLS)):
        call, operand = _call_that_returns(target, rng, known)
        calls.insert(0, call)
        target = operand
    if rng.random() < 0.3:  # a call that no other one uses
        index = rng.randrange(len(calls) + 1)
        calls.insert(index, two_argument_call("multiply", _unused_number(rng, known), _unused_number(rng, known)))
    return calls


def _call_that_returns(value: Fraction, rng: random.Random, known: set[Fraction]) -> tuple[Call, Fraction]:
    """A call that returns the value, and the operand that an earlier call may return."""
    unused = _unused_number(rng, known)
    match rng.choice(_NAMES):
        case "add":
            return two_argument_call("add", value - unused, unused), value - unused
        case "subtract":
            return two_argument_call("subtract", value + unused, unused), value + unused
        case "multiply":
            return two_argument_call("multiply", value / unused, unused), value / unused
        case "divide":
            return two_argument_call("divide", value * unused, unused), value * unused
        case "power":
            return two_argument_call("power", value, 1), value
        case "remainder" if value >= 0:
            dividend = value + unused * (value.numerator + unused)
            return two_argument_call("remainder", dividend, unused * (value.numerator + unused)), dividend
        case "percent_of":
            return two_argument_call("percent_of", value, 100), value
        case "round_to" if value.denominator == 1:
            return two_argument_call("round_to", value + Fraction(1, 4), 0), value + Fraction(1, 4)
        case _:
            return equation(f"{unused}*x + {unused} = ({unused * value + unused})"), unused * value + unused


def _unused_number(rng: random.Random, known: set[Fraction]) -> int:
    """A number that is not in the question, often a small or a round one."""
    while (number := rng.choice((rng.randrange(1, 13), rng.randrange(1, 200), rng.choice((24, 60, 100))))) in known:
        pass
    return number


def _literals(call: Call) -> Iterator[Fraction]:
    for value in call.arguments.values():
        try:
            yield read_number(value)
        except ValueError:
            yield from find_numbers(str(value)).plain
