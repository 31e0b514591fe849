"""The functions of the task arithmetic: exact numbers, and equations."""

from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from callwright.errors import CallError
from callwright.functions.function import strict_function
from callwright.functions.guard import MAX_EQUATIONS, check_power_size, check_result_size
from callwright.functions.numbers import ZERO_TO_ZERO, Number, WholeNumber, execution_error
from callwright.functions.solvers.equations import EXAMPLE, check_linear_system, find_unknowns, read_equation
from callwright.functions.solvers.worker import run_in_worker


@strict_function(example={"a": 17, "b": 25})
def add(a: Number, b: Number) -> Number:
    """The sum of two numbers."""
    return check_result_size(a + b)


@strict_function(example={"a": 40, "b": 12})
def subtract(a: Number, b: Number) -> Number:
    """The first number less the second."""
    return check_result_size(a - b)


@strict_function(example={"a": 6, "b": 8})
def multiply(a: Number, b: Number) -> Number:
    """The product of two numbers."""
    return check_result_size(a * b)


@strict_function(example={"a": 84, "b": 7})
def divide(a: Number, b: Number) -> Number:
    """The first number divided by the second."""
    if b == 0:
        raise execution_error("cannot divide by zero")
    return check_result_size(a / b)


@strict_function(example={"base": 2, "exponent": 5})
def power(base: Number, exponent: WholeNumber) -> Number:
    """A number raised to a whole power."""
    if base == 0 and exponent < 0:
        raise execution_error("cannot divide by zero")
    if base == 0 and exponent == 0:
        raise execution_error(ZERO_TO_ZERO)
    check_power_size(base, exponent)
    return check_result_size(Fraction(base**exponent))


@strict_function(example={"a": 17, "b": 5})
def remainder(a: Number, b: Number) -> Number:
    """What is left of the first number after dividing by the second."""
    if b == 0:
        raise execution_error("cannot divide by zero")
    return check_result_size(a % b)


@strict_function(example={"amount": 80, "percent": 15})
def percent_of(amount: Number, percent: Number) -> Number:
    """A percentage of an amount."""
    return check_result_size(amount * percent / 100)


@strict_function(example={"number": 7.38, "decimals": 1})
def round_to(number: Number, decimals: WholeNumber = 0) -> Number:
    """A number rounded to some decimals; halves go away from zero."""
    if not 0 <= decimals <= 12:
        raise execution_error("decimals must be between 0 and 12")
    scale = 10**decimals
    magnitude = (abs(number) * scale * 2 + 1) // 2
    return check_result_size(Fraction(magnitude if number >= 0 else -magnitude, scale))


@strict_function(example={"value": 42})
def answer(value: Number) -> Number:
    """Give the final answer and stop."""
    return value


CACHE_SIZE = 4_096  # cached solutions per process, as chains of one problem solve the same equations


def _check_equation_texts(value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"an equation is a text, like {EXAMPLE}")
    if len(texts) > MAX_EQUATIONS:
        raise ValueError(f"more than {MAX_EQUATIONS} equations")
    return tuple(" ".join(text.split()) for text in texts)


Equations = Annotated[
    tuple[str, ...],
    BeforeValidator(_check_equation_texts),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
            "description": f"an equation like {EXAMPLE}, or a list of them",
        }
    ),
]
"""The type of a parameter that takes one equation or several."""


@strict_function(example={"equation": EXAMPLE})
def solve(equation: Equations, variable: str = "x") -> Number | list[Number]:
    """The unknown number in an equation."""
    found = [check_result_size(number) for number in _solve(equation, variable)]
    return found[0] if len(found) == 1 else found


@lru_cache(maxsize=CACHE_SIZE)
def _solve(equations: tuple[str, ...], variable: str) -> tuple[Number, ...]:
    """The rational solutions, ascending.

    Raises:
        CallError: there is no rational solution, or the unknowns do not fit the equations.
    """
    trees = [read_equation(text) for text in equations]
    names = sorted({name for tree in trees for name in find_unknowns(tree)})
    if len(names) == 1 and len(trees) == 1:
        return tuple(run_in_worker("callwright.functions.solvers.sympy_solver:solve_one", trees[0], names[0]))
    if variable not in names:
        unknowns = f"its unknowns are {', '.join(names[:MAX_EQUATIONS])}" if names else "it has no unknown"
        raise CallError("bad_arguments", f"{variable[:20]!r} is not in the equation: {unknowns}")
    if len(names) > len(trees):
        raise CallError("bad_arguments", f"{len(names)} unknowns need {len(names)} equations, as a list")
    check_linear_system(trees)
    return tuple(run_in_worker("callwright.functions.solvers.sympy_solver:solve_system", trees, names, variable))


ALL = (add, subtract, multiply, divide, power, remainder, percent_of, round_to, solve, answer)
"""In the order in which a prompt describes them."""
