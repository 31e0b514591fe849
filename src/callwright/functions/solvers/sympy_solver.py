"""SymPy's side of `algebra.py`. Runs in the worker process alone; nothing else imports it.

Everything is computed with polynomials of exact coefficients, built from the whitelisted tree: no text is ever given
to SymPy. Roots are isolated in rational intervals; no floating point decides anything.
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

_DIGITS = 6  # significant digits shown of an irrational root


@in_worker
def solve_one(difference: Tree, name: str) -> list[Fraction]:
    """The numbers that make a tree zero without dividing by zero in it, ascending.

    Raises:
        CallError: there is none, any number does, or some are irrational.
    """
    quotients = _QuotientBuilder([name], ZZ)
    top, _ = quotients.build(difference)
    if not top:
        raise execution_error(f"{name} may have any value: the equation does not fix it")
    roots: list[Fraction] = []
    irrational: list[Fraction] = []
    for factor, _ in top.factor_list()[1]:
        if any(not divisor.rem(factor) for divisor in quotients.divisors):
            continue  # where this factor is zero, the equation divides by zero
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
    """The one value that an unknown has wherever all trees are zero.

    Raises:
        CallError: there is no solution, the unknown may have many values, or a tree is not linear.
    """
    quotients = _QuotientBuilder(names, QQ)
    tops = [quotients.build(difference)[0] for difference in differences]
    if any(sum(powers) > 1 for top in tops for powers in top) or not all(
        divisor.is_ground for divisor in quotients.divisors
    ):
        raise execution_error(NOT_LINEAR)
    solution = solve_lin_sys(tops, quotients.ring)
    if solution is None:
        raise execution_error("no numbers solve these equations")
    unknown = quotients.unknowns[name]
    value = quotients.ring(solution.get(unknown, unknown))
    if not value.is_ground:
        raise execution_error(f"{name} may have any value: the equations do not fix it")
    coefficient = value.coeff(1)
    return [_fraction(coefficient.numerator, coefficient.denominator)]


class _QuotientBuilder:
    """Trees as quotients of two polynomials. They are not cancelled, so that every divisor stays known.

    Attributes:
        divisors: polynomials that must not be zero.
    """

    def __init__(self, names: Sequence[str], domain: Any) -> None:
        self.ring, *unknowns = ring([f"x{index}" for index in range(len(names))], domain)
        self.unknowns = dict(zip(names, unknowns, strict=True))
        self.divisors: list[Any] = []

    def build(self, tree: Tree) -> tuple[Any, Any]:
        """Numerator and denominator.

        Raises:
            CallError: the tree divides by zero everywhere.
        """
        match tree:
            case ("number", number):
                return self.ring(number.numerator), self.ring(number.denominator)
            case ("name", name):
                return self.unknowns[name], self.ring.one
            case ("**", base, exponent):
                return self._power(*self.build(base), exponent)
        operator, (top, bottom), (other_top, other_bottom) = tree[0], self.build(tree[1]), self.build(tree[2])
        match operator:
            case "*":
                return top * other_top, bottom * other_bottom
            case "/":
                self._divide_by(other_top, "the equation divides by zero")
                return top * other_bottom, bottom * other_top
        if operator == "-":
            other_top = -other_top
        if bottom == other_bottom:
            return top + other_top, bottom
        return top * other_bottom + other_top * bottom, bottom * other_bottom

    def _power(self, top: Any, bottom: Any, exponent: int) -> tuple[Any, Any]:
        if exponent == 0:
            self._divide_by(top, ZERO_TO_ZERO)
            return self.ring.one, self.ring.one
        if exponent < 0:
            self._divide_by(top, "the equation divides by zero")
            top, bottom = bottom, top
        return top ** abs(exponent), bottom ** abs(exponent)

    def _divide_by(self, divisor: Any, complaint: str) -> None:
        if not divisor:
            raise execution_error(complaint)
        self.divisors.append(divisor)


def _approximate_roots(factor: Any) -> Iterator[Fraction]:
    """Approximate real roots of an irreducible polynomial of degree 2 or more, two digits more than are shown.

    Args:
        factor: in one unknown, with integer coefficients.
    """
    polynomial = Poly.from_dict(dict(factor), factor.ring.symbols[0], domain=ZZ)
    coefficients = [int(coefficient) for coefficient in polynomial.all_coeffs()]
    mirrored = [
        coefficient if index % 2 == 0 else -coefficient for index, coefficient in enumerate(coefficients[::-1])
    ][::-1]
    for (low, high), _ in polynomial.intervals(fast=True):  # none has zero inside
        low_end, high_end = _fraction(low.p, low.q), _fraction(high.p, high.q)
        if high_end > 0:
            yield _approximate_root(coefficients, low_end, high_end)
        else:
            yield -_approximate_root(mirrored, -high_end, -low_end)


def _approximate_root(coefficients: Sequence[int], low: Fraction, high: Fraction) -> Fraction:
    """A fraction near the only root between `low` and `high`. The sign changes there, and the root is irrational.

    Bisection: `Poly.refine_root` takes up to 0.3 s for a root near zero, this takes a millisecond.

    Args:
        coefficients: from the highest power to the constant.
        low, high: not negative.
    """
    constant = abs(coefficients[-1])
    low = max(low, Fraction(constant, constant + max(map(abs, coefficients))))  # no root is nearer to zero (Cauchy)
    sign_at_low = _is_positive(coefficients, low)
    while high - low > low / 10 ** (_DIGITS + 2):
        log2 = (_log2(low) + _log2(high)) // 2
        middle = Fraction(2) ** log2 if high > 16 * low else (low + high) / 2  # its size first, then its digits
        if _is_positive(coefficients, middle) == sign_at_low:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _is_positive(coefficients: Sequence[int], number: Fraction) -> bool:
    value, scale = 0, 1
    for coefficient in coefficients:  # Horner's rule, in integers: value / denominator ** degree
        value = value * number.numerator + coefficient * scale
        scale *= number.denominator
    return value > 0


def _log2(number: Fraction) -> int:
    """The logarithm to base 2, less than 1 too small or too large."""
    return number.numerator.bit_length() - number.denominator.bit_length()


def _format_rounded(number: Fraction) -> str:
    """A number to six digits: `1.41421`, `-1e+30`."""
    rounded = Context(prec=_DIGITS).divide(Decimal(number.numerator), Decimal(number.denominator)).normalize()
    return f"{rounded:f}" if -_DIGITS < rounded.adjusted() < _DIGITS else f"{rounded:e}"


def _fraction(numerator: Any, denominator: Any) -> Fraction:
    return Fraction(int(numerator), int(denominator))
