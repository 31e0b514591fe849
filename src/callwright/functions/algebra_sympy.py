"""SymPy's side of `algebra.py`. Runs in the worker process alone; nothing else imports it.

Everything is computed in a field of rational functions with exact coefficients, built from the whitelisted tree: no
text is ever given to SymPy.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from sympy import QQ, Poly, nroots
from sympy.polys.fields import field
from sympy.polys.solvers import solve_lin_sys

from callwright.functions.equation import Tree
from callwright.functions.numbers import refuse
from callwright.functions.worker import in_worker


@in_worker
def solve_one(difference: Tree, name: str) -> list[Fraction]:
    """The numbers that make a tree zero without dividing by zero in it, ascending.

    Raises:
        CallError: there is none, any number does, or some are irrational.
    """
    builder = _Builder([name])
    top = builder.build(difference).numer
    if top == 0:
        raise refuse(f"{name} may have any value: the equation does not fix it")
    roots: list[Fraction] = []
    irrational = False
    for factor, _ in top.factor_list()[1]:
        if factor.degree() == 1:
            roots.append(_fraction(-factor.coeff(1) / factor.LC))
        else:
            irrational |= Poly(factor.as_expr()).count_roots() > 0
    if irrational:
        near = [root for root in nroots(top.as_expr()) if root.is_real]
        raise refuse(f"{name} is not a fraction: it is about {' or '.join(f'{float(root):.6g}' for root in near)}")
    defined = sorted(root for root in roots if not builder.divides_by_zero(root))
    if not defined:
        raise refuse(f"no {name} solves this equation")
    return defined


@in_worker
def solve_system(differences: Sequence[Tree], names: Sequence[str], name: str) -> list[Fraction]:
    """The one value that an unknown has wherever all trees are zero.

    Raises:
        CallError: there is no solution, the unknown may have many values, or a tree is not linear.
    """
    builder = _Builder(names)
    built = [builder.build(difference) for difference in differences]
    if any(sum(powers) > 1 for each in built for powers in each.numer) or any(each.denom != 1 for each in built):
        raise refuse("several equations must be linear: no products, powers or quotients of unknowns")
    solution = solve_lin_sys([each.numer for each in built], builder.field.ring)
    if solution is None:
        raise refuse("no numbers solve these equations")
    value = builder.field.ring(solution.get(builder.unknowns[name].numer, builder.unknowns[name].numer))
    if not value.is_ground:
        raise refuse(f"{name} may have any value: the equations do not fix it")
    return [_fraction(value.coeff(1))]


class _Builder:
    """Trees as elements of the field of rational functions in some unknowns; remembers what was divided by."""

    def __init__(self, names: Sequence[str]) -> None:
        self.field, *unknowns = field(names, QQ)
        self.unknowns = dict(zip(names, unknowns, strict=True))
        self._divisors: list[Any] = []

    def build(self, tree: Tree) -> Any:
        match tree:
            case ("number", number):
                return self.field(QQ(number.numerator, number.denominator))
            case ("name", name):
                return self.unknowns[name]
            case ("**", base, exponent):
                built = self.build(base)
                if exponent < 0:
                    self._divide_by(built)
                return built**exponent
        operator, left, right = tree[0], self.build(tree[1]), self.build(tree[2])
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
        self._divide_by(right)
        return left / right

    def _divide_by(self, divisor: Any) -> None:
        if divisor == 0:
            raise refuse("the equation divides by zero")
        self._divisors.append(divisor.numer)

    def divides_by_zero(self, value: Fraction) -> bool:
        """Whether some divisor is zero there; for one unknown."""
        return any(divisor.evaluate(0, QQ(value.numerator, value.denominator)) == 0 for divisor in self._divisors)


def _fraction(number: Any) -> Fraction:
    return Fraction(int(number.numerator), int(number.denominator))
