"""Solve equations with SymPy. Runs only in the worker process; no other module imports it.

All polynomials have exact coefficients and are built from the tree of allowed operations: SymPy never gets text. Roots
are isolated in rational intervals; no result depends on floating point.
"""

from collections.abc import Iterator, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from sympy import QQ, ZZ, Poly
from sympy.polys.rings import ring
from sympy.polys.solvers import solve_lin_sys

from callwright.functions.numbers import ZERO_TO_ZERO, execution_error
from callwright.functions.solvers.equations import NOT_LINEAR, Tree
from callwright.functions.solvers.worker import in_worker

_DIGITS = 6  # significant digits of an irrational root in a message


@in_worker
def solve_one(difference: Tree, name: str) -> list[Fraction]:
    """Find the numbers that make a tree zero without a division by zero, ascending.

    Raises:
        CallError: no number solves the equation, every number does, or some solutions are irrational.
    """
    quotients = _QuotientBuilder([name], ZZ)
    numerator, _ = quotients.build(difference)
    if not numerator:
        raise execution_error(f"{name} may have any value: the equation does not fix it")
    roots: list[Fraction] = []
    irrational: list[Fraction] = []
    for factor, _ in numerator.factor_list()[1]:
        if any(not divisor.rem(factor) for divisor in quotients.divisors):
            continue  # at the roots of this factor, the equation divides by zero
        if factor.degree() == 1:
            roots.append(_fraction(-factor.coeff(1), factor.LC))
        else:
            irrational += _approximate_roots(factor)
    if irrational:
        texts = dict.fromkeys(_format_rounded(root) for root in sorted(roots + irrational))
        raise execution_error(f"{name} is not a fraction: it is about {' or '.join(texts)}")
    if not roots:
        raise execution_error(f"no {name} solves this equation")
    return sorted(roots)


@in_worker
def solve_system(differences: Sequence[Tree], names: Sequence[str], name: str) -> list[Fraction]:
    """Find the single value that an unknown has in every solution of a linear system, as a list of one number.

    Raises:
        CallError: there is no solution, the unknown may have any value, or a tree is not linear.
    """
    quotients = _QuotientBuilder(names, QQ)
    numerators = [quotients.build(difference)[0] for difference in differences]
    too_high = any(sum(powers) > 1 for numerator in numerators for powers in numerator)
    if too_high or not all(divisor.is_ground for divisor in quotients.divisors):
        raise execution_error(NOT_LINEAR)
    solution = solve_lin_sys(numerators, quotients.ring)
    if solution is None:
        raise execution_error("no numbers solve these equations")
    unknown = quotients.unknowns[name]
    value = quotients.ring(solution.get(unknown, unknown))
    if not value.is_ground:
        raise execution_error(f"{name} may have any value: the equations do not fix it")
    coefficient = value.coeff(1)
    return [_fraction(coefficient.numerator, coefficient.denominator)]


class _QuotientBuilder:
    """Builds each tree as numerator / denominator without cancelling, and records every divisor.

    Attributes:
        divisors: polynomials that must not be zero.
    """

    def __init__(self, names: Sequence[str], domain: Any) -> None:
        self.ring, *unknowns = ring([f"x{index}" for index in range(len(names))], domain)
        self.unknowns = dict(zip(names, unknowns, strict=True))
        self.divisors: list[Any] = []

    def build(self, tree: Tree) -> tuple[Any, Any]:
        """Return numerator and denominator.

        Raises:
            CallError: the tree divides by the zero polynomial.
        """
        match tree:
            case ("number", number):
                return self.ring(number.numerator), self.ring(number.denominator)
            case ("name", name):
                return self.unknowns[name], self.ring.one
            case ("**", base, exponent):
                return self._power(*self.build(base), exponent)
        operator, (a, b), (c, d) = tree[0], self.build(tree[1]), self.build(tree[2])  # a/b and c/d
        match operator:
            case "*":
                return a * c, b * d
            case "/":
                self._record_divisor(c, "the equation divides by zero")
                return a * d, b * c
        if operator == "-":
            c = -c
        if b == d:
            return a + c, b
        return a * d + c * b, b * d

    def _power(self, numerator: Any, denominator: Any, exponent: int) -> tuple[Any, Any]:
        if exponent == 0:
            self._record_divisor(numerator, ZERO_TO_ZERO)
            return self.ring.one, self.ring.one
        if exponent < 0:
            self._record_divisor(numerator, "the equation divides by zero")
            numerator, denominator = denominator, numerator
        return numerator ** abs(exponent), denominator ** abs(exponent)

    def _record_divisor(self, divisor: Any, message_if_zero: str) -> None:
        if not divisor:
            raise execution_error(message_if_zero)
        self.divisors.append(divisor)


def _approximate_roots(factor: Any) -> Iterator[Fraction]:
    """Approximate the real roots of an irreducible polynomial of degree 2 or more, to _DIGITS + 2 digits.

    Args:
        factor: polynomial in one unknown, with integer coefficients.
    """
    polynomial = Poly.from_dict(dict(factor), factor.ring.symbols[0], domain=ZZ)
    coefficients = [int(coefficient) for coefficient in polynomial.all_coeffs()]
    mirrored = [
        coefficient if index % 2 == 0 else -coefficient for index, coefficient in enumerate(coefficients[::-1])
    ][::-1]
    for (low, high), _ in polynomial.intervals(fast=True):  # no interval contains zero
        low_end, high_end = _fraction(low.p, low.q), _fraction(high.p, high.q)
        if high_end > 0:
            yield _approximate_root(coefficients, low_end, high_end)
        else:
            yield -_approximate_root(mirrored, -high_end, -low_end)


def _approximate_root(coefficients: Sequence[int], low: Fraction, high: Fraction) -> Fraction:
    """Approximate the only root between `low` and `high`. The root is irrational, and the sign changes there.

    By bisection, which takes a millisecond; `Poly.refine_root` takes up to 0.3 s for a root near zero.

    Args:
        coefficients: from the highest power to the constant.
        low, high: not negative.
    """
    constant = abs(coefficients[-1])
    low = max(low, Fraction(constant, constant + max(map(abs, coefficients))))  # Cauchy: no root is nearer to zero
    sign_at_low = _is_positive(coefficients, low)
    while high - low > low / 10 ** (_DIGITS + 2):
        log2 = (_log2(low) + _log2(high)) // 2
        middle = Fraction(2) ** log2 if high > 16 * low else (low + high) / 2  # first the magnitude, then the digits
        if _is_positive(coefficients, middle) == sign_at_low:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _is_positive(coefficients: Sequence[int], number: Fraction) -> bool:
    """Whether the polynomial is positive at a positive number."""
    value, scale = 0, 1
    for coefficient in coefficients:  # Horner's rule in integers: value = polynomial * denominator ** degree
        value = value * number.numerator + coefficient * scale
        scale *= number.denominator
    return value > 0


def _log2(number: Fraction) -> int:
    """Approximate the logarithm to base 2, with an error below 1."""
    return number.numerator.bit_length() - number.denominator.bit_length()


def _format_rounded(number: Fraction) -> str:
    """Format a number with _DIGITS significant digits: `1.41421`, `-1e+30`."""
    rounded = Context(prec=_DIGITS).divide(Decimal(number.numerator), Decimal(number.denominator)).normalize()
    return f"{rounded:f}" if -_DIGITS < rounded.adjusted() < _DIGITS else f"{rounded:e}"


def _fraction(numerator: Any, denominator: Any) -> Fraction:
    return Fraction(int(numerator), int(denominator))
