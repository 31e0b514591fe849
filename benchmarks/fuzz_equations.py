"""Solve random and hostile equations in the real worker: no exception, right answers, and the time of the slowest.

The inputs are equations of word problems, random expressions, polynomials as large as the limits allow that are hard to
factor or whose roots are hard to isolate, any of these with characters changed, and systems of up to six equations. The
solutions of each single equation are checked by exact arithmetic.

    python benchmarks/fuzz_equations.py [--count N] [--seed N]
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from callwright.errors import CallError
from callwright.functions.guard import SOLVER_SECONDS
from callwright.functions.solvers.equations import find_unknowns, read_equation
from callwright.functions.solvers.worker import current_worker
from callwright.functions.toolbox import Toolbox
from callwright.records import Call
from callwright.tasks.arithmetic.functions import answer, solve

CHARACTERS = "0123456789xyzab+-*/^().= ,eE_²³−×÷%$!\"'\\\n\t\0٣é"
PRIMORIAL = 2 * 3 * 5 * 7 * 11 * 13 * 17 * 19 * 23 * 29 * 31 * 37  # a leading coefficient with many prime factors
TOOLBOX = Toolbox((solve, answer))


def random_input(rng: random.Random) -> str | list[str]:
    """Return an equation or a system, as the argument of the function `solve`."""
    if rng.random() < 0.3:
        return random_system(rng)
    text = rng.choice((word_problem, expression_equation, hard_equation, hard_equation))(rng)
    return change_characters(text, rng) if rng.random() < 0.2 else text


def random_number(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.6:
        return str(rng.randint(0, 20))
    if kind < 0.8:
        return f"{rng.randint(0, 999)}.{rng.randint(0, 999)}"
    return str(rng.randrange(10 ** rng.choice((4, 20, 60))))


def word_problem(rng: random.Random) -> str:
    a, b, c, d = (rng.randint(1, 100) for _ in range(4))
    return rng.choice(
        (
            f"{a}x + {b} = {c}",
            f"{a}*(x - {b}) = {c}x + {d}",
            f"x/{a} + x/{b} = {c}",
            f"{a}/x + {b}/(x + {c}) = {d}",
            f"x^2 + {a}x = {b * (b + a)}",
            f"x*(x + {a}) = {b}",
            f"{a * 100}*(1 + x/100)^{rng.randint(2, 8)} = {b * 100}",
            f"{a}x = {b}%",
        )
    )


def random_expression(rng: random.Random, depth: int, names: str = "x") -> str:
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(names) if rng.random() < 0.5 else random_number(rng)
    part = random_expression(rng, depth - 1, names)
    match rng.randrange(8):
        case 0:
            return f"({part})^{rng.choice((0, 1, 2, 2, 3, 4, 8, -1, -2, 99))}"
        case 1:
            return f"-{part}"
        case 2:
            return f"({part})({random_expression(rng, depth - 1, names)})"
        case 3:
            return f"({part})/({random_expression(rng, depth - 1, names)})"
        case _:
            return f"({part}) {rng.choice('+-*')} {random_expression(rng, depth - 1, names)}"


def expression_equation(rng: random.Random) -> str:
    return f"{random_expression(rng, rng.randint(1, 4))} = {random_expression(rng, rng.randint(0, 3))}"


def hard_equation(rng: random.Random) -> str:
    """Return an equation that is hard to solve for its size, as large as the limits allow or a little larger."""
    degree = rng.randint(2, 8)
    digits = rng.randint(1, max(2, 640 // degree // 3))

    def large_number() -> int:
        return rng.randrange(10 ** (digits - 1), 10**digits)

    few_digits = min(digits, 150 // degree)
    dense = " + ".join(
        f"{rng.choice(('', '-'))}{rng.randrange(10**few_digits)}*x^{power}" for power in range(degree + 1)
    )
    linear = "*".join(f"({rng.randrange(1, 10**few_digits)}x-{rng.randrange(10**few_digits)})" for _ in range(degree))
    a = rng.randrange(10 ** max(1, digits // 2))
    return rng.choice(
        (
            f"x^{degree} = 2*({a}x - 1)^2",  # Mignotte: two roots are very close
            f"x^{degree} = 2*(x - {Fraction(1, a + 1)})^2",
            f"({a}x - 1)^2*({a}x - 2)^2 = x^{degree}",
            f"({a}x^2 - 1)^2*({a + 1}x - 7)^2 = x^{degree}",
            "x^8 - 40x^6 + 352x^4 - 960x^2 + 576 = 0",  # Swinnerton-Dyer: factors modulo every prime, but not over Q
            f"(x^8 - 40x^6 + 352x^4 - 960x^2 + 576) = {rng.randint(0, 3)}*x^{degree}",
            f"x^{degree} = {large_number()}",
            f"x^{degree} + {large_number()}*x = {large_number()}",
            f"(x + {large_number()})^{degree} = {large_number()}",
            f"({large_number()}x + 1)^2 = {rng.randint(2, 9)}",
            f"{PRIMORIAL}*x^{degree} + {large_number()}*x^{degree // 2} = {large_number()}",
            f"{PRIMORIAL}^{rng.randint(1, 6)}*x^{degree} - x = 1",
            f"{linear} = {rng.choice((0, 1))}",
            f"{linear} = x^{degree}",
            f"{dense} = 0",
            f"({dense})/({a}x - 1) = 1/x",
            f"1/(x^2-{a})^2 + 1/(x^2-{a + 1})^2 = {large_number()}",
            f"(x^2 - {large_number()})^{rng.randint(1, 4)}*(x^2 - {a})^{rng.randint(0, 2)} = 0",
            f"x = {rng.randrange(2, 99)}^{rng.randrange(1, 400)}/{rng.randrange(2, 99)}^{rng.randrange(1, 400)}",
        )
    )


def random_system(rng: random.Random) -> list[str]:
    """Return a system of linear equations, often with one equation replaced, changed or removed."""
    count = rng.randint(1, 6)
    names = "xyzabc"[:count]
    digits = rng.choice((1, 2, 12, 160 // count - 6))

    def linear_equation() -> str:
        terms = [f"{rng.choice(('', '-'))}{rng.randrange(10**digits)}*{name}" for name in names]
        return f"{' + '.join(terms)} = {rng.randrange(10**digits)}"

    equations = [linear_equation() for _ in range(count)]
    index = rng.randrange(count)
    match rng.randrange(8):
        case 0:
            equations[index] = equations[rng.randrange(count)]
        case 1:
            equations[index] = f"{random_expression(rng, 3, names)} = {random_expression(rng, 2, names)}"
        case 2:
            equations[index] = change_characters(equations[index], rng)
        case 3:
            equations[index] = f"(x + {random_number(rng)})*(y - {random_number(rng)}) = x*y + {random_number(rng)}"
        case 4:
            equations = equations[1:]
        case 5:
            total = f"({'+'.join(names)})"
            equations[index] = f"{total}^2 - {total}*{total} + x = {random_number(rng)}"
    return equations


def change_characters(text: str, rng: random.Random) -> str:
    """Replace, insert or remove a few characters."""
    for _ in range(rng.randint(1, 4)):
        index, new = rng.randrange(len(text) + 1), rng.choice(CHARACTERS)
        text = rng.choice((f"{text[:index]}{new}{text[index + 1 :]}", f"{text[:index]}{new}{text[index:]}"))
        if rng.random() < 0.3:
            text = text[:index] + text[index + 1 :]
    return text


def solve_and_check(equation: str | list[str]) -> tuple[str, float]:
    """Solve an equation or a system, and check the solutions of a single equation.

    Returns:
        The kind of result, and the processor seconds that the worker spent.

    Raises:
        AssertionError: a solution does not solve its equation, or an error message is not one short line.
    """
    tools = TOOLBOX.open()
    before = worker_seconds()
    result = tools.execute(Call("solve", {"equation": equation}))
    spent = worker_seconds() - before
    if isinstance(result, CallError):
        assert "\n" not in result.message and len(result.message) < 400, result.message
        return kind_of_error(result.message), spent
    values = result.value if isinstance(result.value, list) else [result.value]
    if isinstance(equation, str):
        tree = read_equation(" ".join(equation.split()))
        name = next(find_unknowns(tree))
        assert all(evaluate(tree, {name: value}) == 0 for value in values), (equation, result.text)
        assert values == sorted(set(values))
    return "solved", spent


def kind_of_error(message: str) -> str:
    """Return the part of an error message that is the same for all equations."""
    for part in (
        "may have any value",
        "is not a fraction",
        "solves this equation",
        "unknowns need",
        "is not in the equation",
    ):
        if part in message:
            return part
    return message[:90]


def evaluate(tree: Any, values: dict[str, Fraction]) -> Fraction:
    """Compute a tree's value by exact arithmetic.

    Raises:
        ZeroDivisionError: the tree divides by zero for these values.
    """
    match tree:
        case ("number", constant):
            return Fraction(constant)
        case ("name", name):
            return values[name]
        case ("**", base, exponent):
            base_value = evaluate(base, values)
            if base_value == 0 and exponent == 0:
                raise ZeroDivisionError("0 to the power of 0")
            return Fraction(base_value**exponent)
    left, right = evaluate(tree[1], values), evaluate(tree[2], values)
    operations: dict[str, Callable[[], Fraction]] = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "/": lambda: left / right,
    }
    return operations[tree[0]]()


def worker_seconds() -> float:
    """Return the processor seconds of the worker process so far: Linux has a clock for every process."""
    pid = current_worker().pid
    return 0.0 if pid is None else time.clock_gettime((~pid << 3) | 2)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    rng = random.Random(options.seed)
    TOOLBOX.open().execute(Call("solve", {"equation": "x = 1"}))  # load SymPy before the measurement
    outcomes: Counter[str] = Counter()
    slowest: list[tuple[float, str]] = []
    pid = current_worker().pid
    for _ in range(options.count):
        equation = random_input(rng)
        outcome, spent = solve_and_check(equation)
        outcomes[outcome] += 1
        slowest = sorted([*slowest, (spent, f"{outcome}: {equation}")], reverse=True)[:8]
    for outcome, count in outcomes.most_common():
        print(f"{count:7,}  {outcome}")
    print("Slowest, in processor seconds of the worker:")
    for spent, description in slowest:
        print(f"{spent:7.4f}  {description}")
    print(f"Worker replaced: {'yes' if current_worker().pid != pid else 'no'}")
    print(f"Limit of the worker: {SOLVER_SECONDS:g} s, {SOLVER_SECONDS / slowest[0][0]:.1f} times the slowest")


if __name__ == "__main__":
    main()
