"""Equations made from their solutions, bounds compared with the real values, and 500 hostile inputs."""

import random
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from benchmarks.fuzz_equations import evaluate, hard_equation, random_input, solve_and_check, word_problem
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import ZZ, Poly, Symbol

from callwright.errors import CallError
from callwright.functions.guard import SOLVER_SECONDS
from callwright.functions.solvers.equations import compute_bounds, read_equation
from callwright.functions.solvers.sympy_solver import _QuotientBuilder
from callwright.tasks.arithmetic.functions import solve

small = st.integers(-40, 40)
roots = st.lists(st.builds(Fraction, small, st.integers(1, 9)), min_size=1, max_size=4)


def polynomial_text(coefficients: list[int]) -> str:
    terms = [f"({each})*x^{power}" if power else f"({each})" for power, each in enumerate(coefficients)]
    return f"{' + '.join(terms)} = 0"


@given(roots, st.sampled_from([1, 2]), st.integers(-9, 9).filter(bool))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_an_equation_made_from_fractions_has_exactly_these_solutions(chosen, power, scale):
    factors = "".join(f"({root.denominator}x - ({root.numerator}))" for root in chosen)
    solutions = solve((f"{scale}*({factors})^{power}*(x^2 + 1)^0 = 0",))
    assert (solutions if isinstance(solutions, list) else [solutions]) == sorted(set(chosen))


@given(roots, st.lists(st.integers(-30, 30), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_number_that_divides_by_zero_is_not_a_solution(chosen, holes):
    factors = "*".join(f"({root.denominator}x - ({root.numerator}))" for root in chosen)
    text = f"{factors}/({'*'.join(f'(x - ({hole}))' for hole in holes)}) = 0"
    expected = sorted(set(chosen) - set(map(Fraction, holes)))
    if expected:
        solutions = solve((text,))
        assert (solutions if isinstance(solutions, list) else [solutions]) == expected
    else:
        with pytest.raises(CallError, match="no x solves this equation"):
            solve((text,))


@given(st.lists(st.integers(-(10**6), 10**6), min_size=3, max_size=9))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_every_irrational_solution_is_shown_to_six_digits(coefficients):
    polynomial = Poly(coefficients[::-1], Symbol("x"), domain=ZZ)
    assume(polynomial.degree() > 1 and coefficients[0] != 0)
    try:
        solve((polynomial_text(coefficients),))
    except CallError as error:
        message = error.message
    else:
        assume(False)
    assume("not a fraction" in message)
    shown = [Fraction(number) for number in re.findall(r"-?[0-9.]+(?:e[+-][0-9]+)?", message.partition("about")[2])]
    assert shown == sorted(shown)
    intervals = [(near - abs(near) / 10**5, near + abs(near) / 10**5) for near in shown]
    assert all(polynomial.count_roots(low, high) >= 1 for low, high in intervals)
    if all(lower[1] < upper[0] for lower, upper in pairwise(intervals)):
        assert len(shown) == polynomial.count_roots()


@given(
    st.lists(st.builds(Fraction, small, st.integers(1, 9)), min_size=2, max_size=6), st.randoms(use_true_random=False)
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_system_made_from_a_solution_has_that_solution(solution, rng):
    names = "xyzabc"[: len(solution)]
    # A triangular system with rows added to each other has exactly one solution.
    rows = [[0] * index + [rng.choice((1, 2, -3))] + [rng.randint(-9, 9) for _ in names[index + 1 :]]
            for index in range(len(names))]  # fmt: skip
    for _ in range(4):
        target, source = rng.sample(range(len(rows)), 2)
        rows[target] = [a + b for a, b in zip(rows[target], rows[source], strict=True)]
    system = tuple(
        f"{' + '.join(f'({factor})*{name}' for factor, name in zip(row, names, strict=True))} = "
        f"{sum(factor * value for factor, value in zip(row, solution, strict=True))}"
        for row in rows
    )
    for name, value in zip(names, solution, strict=True):
        assert solve(system, name) == value


def test_the_bounds_hold_for_the_real_polynomials():
    rng = random.Random(3)
    checked = 0
    for _ in range(3_000):
        text = rng.choice((hard_equation, word_problem, random_input))(rng)
        try:
            tree = read_equation(text if isinstance(text, str) else text[0] if text else "")
            numerator, denominator = (
                Poly.from_dict(dict(part) or {(0,): 0}, Symbol("x"), domain=ZZ) for part in build_polynomials(tree)
            )
        except CallError:
            continue
        bounds = compute_bounds(tree)
        assert numerator.degree() <= bounds.numerator_degree and denominator.degree() <= bounds.denominator_degree
        assert sum(map(abs, numerator.all_coeffs())) <= 2**bounds.numerator_bits
        assert sum(map(abs, denominator.all_coeffs())) <= 2**bounds.denominator_bits
        checked += 1
    assert checked > 1_000


def build_polynomials(tree: object) -> tuple[object, object]:
    try:
        return _QuotientBuilder(["x"], ZZ).build(tree)
    except KeyError:  # an unknown other than x
        raise CallError("bad_arguments", "it has another unknown") from None


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="reads another process's clock from /proc, as on Linux"
)
def test_500_random_and_hostile_inputs_stay_far_below_the_time_limit():
    rng = random.Random(11)
    solve(("x = 1",))  # loads SymPy before calls are timed
    outcomes = [solve_and_check(random_input(rng)) for _ in range(500)]
    assert sum(outcome == "solved" for outcome, _ in outcomes) > 100
    assert not any("took longer" in outcome or "too much memory" in outcome for outcome, _ in outcomes)
    assert max(spent for _, spent in outcomes) < SOLVER_SECONDS  # 0.02 s when measured


def test_an_equation_is_evaluated_exactly():
    tree = read_equation("x/3 + (x - 1)^2 = 0.5")
    assert evaluate(tree, {"x": Fraction(3, 2)}) == Fraction(1, 4)  # 1/2 + 1/4 - 1/2
