"""Equations solved exactly by SymPy in the worker process, built from a whitelisted syntax tree."""

from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from callwright.errors import CallError
from callwright.functions.equation import EXAMPLE, names_in, read_equation
from callwright.functions.equation_bounds import check_system
from callwright.functions.function import strict_function
from callwright.functions.guard import MAX_EQUATIONS, bound_result
from callwright.functions.numbers import Number
from callwright.functions.worker import run_in_worker

REMEMBERED = 4_096  # outcomes that a process keeps: chains of one problem solve the same equations


def _texts(value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"an equation is a text, like {EXAMPLE}")
    if len(texts) > MAX_EQUATIONS:
        raise ValueError(f"more than {MAX_EQUATIONS} equations")
    return tuple(" ".join(text.split()) for text in texts)


Equations = Annotated[
    tuple[str, ...],
    BeforeValidator(_texts),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
            "description": f"an equation like {EXAMPLE}, or a list of them",
        }
    ),
]
"""One equation or several, in a function's signature."""


@strict_function(example={"equation": EXAMPLE})
def solve(equation: Equations, variable: str = "x") -> Number | list[Number]:
    """The unknown number in an equation."""
    found = [bound_result(number) for number in _solve(equation, variable)]
    return found[0] if len(found) == 1 else found


@lru_cache(maxsize=REMEMBERED)
def _solve(equations: tuple[str, ...], variable: str) -> tuple[Number, ...]:
    """The rational solutions, ascending; irrational and missing ones are refused with a line that says so."""
    trees = [read_equation(text) for text in equations]
    names = sorted({name for tree in trees for name in names_in(tree)})
    if len(names) == 1 and len(trees) == 1:
        return tuple(run_in_worker("callwright.functions.algebra_sympy:solve_one", trees[0], names[0]))
    if variable not in names:
        unknowns = f"its unknowns are {', '.join(names[:MAX_EQUATIONS])}" if names else "it has no unknown"
        raise CallError("bad_arguments", f"{variable[:20]!r} is not in the equation: {unknowns}")
    if len(names) > len(trees):
        raise CallError("bad_arguments", f"{len(names)} unknowns need {len(names)} equations, as a list")
    check_system(trees)
    return tuple(run_in_worker("callwright.functions.algebra_sympy:solve_system", trees, names, variable))
