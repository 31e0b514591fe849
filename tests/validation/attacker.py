"""Searches for short chains that are judged correct without the problem's numbers. Knows the answer; finds none."""

import random
from collections.abc import Iterator
from fractions import Fraction

from callwright.functions.numbers import as_argument, read_number
from callwright.records import Call, Chain, Problem
from callwright.tasks.arithmetic.question_numbers import find_numbers
from callwright.validation.replay import check_chain
from tests.validation.made_chains import answer, equation, known_numbers, made_chain, two

MAX_CALLS = 4
_NAMES = ("add", "subtract", "multiply", "divide", "power", "remainder", "percent_of", "round_to", "solve")


def attacks(problem: Problem, count: int, seed: int) -> Iterator[Chain]:
    """Chains that end with the right answer, none of whose calls holds a number of the question."""
    rng = random.Random(f"{seed}/{problem.id}")
    taken = known_numbers(problem.question)
    value = read_number(problem.answer)
    if value in taken:
        return  # it stands in the question: any call that returns it uses it
    for _ in range(count):
        calls = _towards(value, rng, taken)
        used = {read for call in calls for read in _literals(call)}
        if not used & taken:
            yield made_chain(problem, [*calls, answer(as_argument(value))])


def successes(problem: Problem, count: int, seed: int) -> list[Chain]:
    """The attacks that are judged correct."""
    return [chain for chain in attacks(problem, count, seed) if check_chain(chain, problem).verdict.correct]


def _towards(value: Fraction, rng: random.Random, taken: set[Fraction]) -> list[Call]:
    """Calls from the last to the first, each of which returns an operand of the one after it."""
    calls: list[Call] = []
    wanted = value
    for _ in range(rng.randrange(1, MAX_CALLS)):
        call, operand = _returning(wanted, rng, taken)
        calls.insert(0, call)
        wanted = operand
    if rng.random() < 0.3:  # a detour
        calls.insert(rng.randrange(len(calls) + 1), two("multiply", _free(rng, taken), _free(rng, taken)))
    return calls


def _returning(value: Fraction, rng: random.Random, taken: set[Fraction]) -> tuple[Call, Fraction]:
    """A call that returns a value, and its operand that another call may return."""
    own = _free(rng, taken)
    match rng.choice(_NAMES):
        case "add":
            return two("add", value - own, own), value - own
        case "subtract":
            return two("subtract", value + own, own), value + own
        case "multiply":
            return two("multiply", value / own, own), value / own
        case "divide":
            return two("divide", value * own, own), value * own
        case "power":
            return two("power", value, 1), value
        case "remainder" if value >= 0:
            more = value + own * (value.numerator + own)
            return two("remainder", more, own * (value.numerator + own)), more
        case "percent_of":
            return two("percent_of", value, 100), value
        case "round_to" if value.denominator == 1:
            return two("round_to", value + Fraction(1, 4), 0), value + Fraction(1, 4)
        case _:
            return equation(f"{own}*x + {own} = ({own * value + own})"), own * value + own


def _free(rng: random.Random, taken: set[Fraction]) -> int:
    """A number that is not the question's: small ones, and round ones, first."""
    while (number := rng.choice((rng.randrange(1, 13), rng.randrange(1, 200), rng.choice((24, 60, 100))))) in taken:
        pass
    return number


def _literals(call: Call) -> Iterator[Fraction]:
    for value in call.arguments.values():
        try:
            yield read_number(value)
        except ValueError:
            yield from find_numbers(str(value)).plain
