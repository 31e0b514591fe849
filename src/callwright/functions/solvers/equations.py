"""Equations as data: read from text, and bounded before a solver gets them.

A tree is equal to a quotient of two polynomials with integer coefficients. Their degrees and the sums of their
coefficients' absolute values are bounded from the tree alone: the sum of a product is at most the product of the sums.
The time to solve an equation grows with degree times bits (docs/decisions/0012).
"""

import ast
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

from callwright.errors import CallError
from callwright.functions.guard import (
    LIMIT_REACHED,
    MAX_BITS,
    MAX_DEGREE,
    MAX_DEGREE_BITS,
    MAX_EQUATION_CHARACTERS,
    MAX_SYSTEM_DEGREE,
)
from callwright.functions.numbers import execution_error
from callwright.functions.python_syntax import parse_python

Tree: TypeAlias = tuple[Any, ...]
"""Nested tuples: ("number", Fraction), ("name", str), ("+" | "-" | "*" | "/", left, right), ("**", base, int)."""

EXAMPLE = "3*x + 5 = 26"
NOT_LINEAR = "several equations must be linear: no products, powers or quotients of unknowns"
MAX_NAME_CHARACTERS = 20  # of an unknown's name

_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_OPERATOR_VARIANTS = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/"})
_SUPERSCRIPTS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_SUPERSCRIPT_TO_DIGIT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_ALLOWED = re.compile(r"[A-Za-z0-9_.+*/() \t-]*")
_NUMBER = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
_NUMBER_BEFORE_LETTER = re.compile(r"(?<![A-Za-z0-9_.])[0-9.]+[A-Za-z_]")  # 1e5, 0x10, 1if


def read_equation(text: str) -> Tree:
    """Read an equation as the tree of left side - right side. `2x` is read as `2*x`, and `^` as a power.

    Raises:
        CallError: bad_arguments: the text is not a single equation; execution_error: its degree or its numbers are too
            large.

    >>> read_equation("2x = 6")
    ('-', ('*', ('number', Fraction(2, 1)), ('name', 'x')), ('number', Fraction(6, 1)))
    """
    if len(text) > MAX_EQUATION_CHARACTERS:
        raise _parse_error(f"it has more than {MAX_EQUATION_CHARACTERS} characters")
    plain = _SUPERSCRIPTS.sub(
        lambda digits: f"^{digits[0].translate(_SUPERSCRIPT_TO_DIGIT)}", text.translate(_OPERATOR_VARIANTS)
    )
    plain = plain.replace("^", "**").replace("==", "=")
    sides = plain.split("=")
    if len(sides) != 2:
        raise _parse_error("it needs one =")
    if not plain.isascii():
        raise _parse_error("it has signs that are not understood")
    left, right = (_read_side(side.strip()) for side in sides)
    difference = ("-", left, right)
    compute_bounds(difference)
    return difference


def find_unknowns(tree: Tree) -> Iterator[str]:
    """Yield the names of the unknowns, with repetitions."""
    if tree[0] == "name":
        yield tree[1]
    for part in tree[1:]:
        if isinstance(part, tuple):
            yield from find_unknowns(part)


def _read_side(side: str) -> Tree:
    """Read one side of an equation, in ASCII."""
    side = re.sub(r"(?<![A-Za-z_0-9.])([0-9.]*[0-9]\.?)\s*(?=[A-Za-z_(])(?![eE][0-9])", r"\1*", side)  # 2x, 2(x + 1)
    side = re.sub(r"\)\s*(?=[A-Za-z_(])", r")*", side)  # (x + 1)(x - 1)
    try:
        if _ALLOWED.fullmatch(side) is None or _NUMBER_BEFORE_LETTER.search(side):
            raise ValueError("not allowed in an equation")
        parsed = parse_python(side, mode="eval")
        assert isinstance(parsed, ast.Expression)
        return _Reader(side).read(parsed.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _parse_error("one side is not a sum or product of numbers and unknowns") from None


class _Reader:
    """Turns Python's syntax tree into a `Tree`. Raises ValueError for everything that an equation may not contain."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, node: ast.AST) -> Tree:
        match node:
            case ast.Constant():
                return "number", self._number(node)
            case ast.Name(name) if len(name) <= MAX_NAME_CHARACTERS:
                return "name", name
            case ast.UnaryOp(ast.USub(), operand):
                return "-", ("number", Fraction(0)), self.read(operand)
            case ast.UnaryOp(ast.UAdd(), operand):
                return self.read(operand)
            case ast.BinOp(base, ast.Pow(), exponent):
                return "**", self.read(base), self._exponent(exponent)
            case ast.BinOp(left, operator, right) if type(operator) in _OPERATORS:
                return _OPERATORS[type(operator)], self.read(left), self.read(right)
        raise ValueError("not allowed in an equation")

    def _number(self, node: ast.Constant) -> Fraction:
        """Read the number from the text, because Python's float would round it."""
        literal_text = self._text[node.col_offset : node.end_col_offset]
        if _NUMBER.fullmatch(literal_text) is None:
            raise ValueError("not a plain number")
        return Fraction(literal_text.removesuffix("."))

    def _exponent(self, node: ast.AST) -> int:
        sign = 1
        while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            node, sign = node.operand, -sign
        if not isinstance(node, ast.Constant) or type(node.value) is not int:
            raise _parse_error("an exponent must be a whole number")
        return sign * node.value


def _parse_error(reason: str) -> CallError:
    return CallError("bad_arguments", f"cannot read the equation: {reason}; write it like {EXAMPLE}")


class Bounds(NamedTuple):
    """Upper bounds for a quotient of polynomials: degrees, and bits of the sum of the coefficients' absolute values."""

    numerator_degree: int
    numerator_bits: int
    denominator_degree: int
    denominator_bits: int


def compute_bounds(tree: Tree) -> Bounds:
    """Compute and check the bounds of a tree and of all its parts.

    Raises:
        CallError: execution_error: a degree is above MAX_DEGREE, or the numbers are too large.
    """
    match tree:
        case ("number", number):
            bounds = _number_bounds(number)
        case ("name", _):
            bounds = Bounds(1, 0, 0, 0)
        case ("**", base, exponent):
            base_bounds = compute_bounds(base)
            bounds = Bounds(
                *(abs(exponent) * bound for bound in (_inverse(base_bounds) if exponent < 0 else base_bounds))
            )
        case (operator, left, right):
            bounds = _operation_bounds(operator, compute_bounds(left), compute_bounds(right))
    degree = max(bounds.numerator_degree, bounds.denominator_degree)
    bits = max(bounds.numerator_bits, bounds.denominator_bits)
    if degree > MAX_DEGREE:
        raise execution_error(f"{LIMIT_REACHED}: the equation has a degree above {MAX_DEGREE}; try a simpler one")
    if bits > MAX_BITS or degree * bits > MAX_DEGREE_BITS:
        raise execution_error(f"{LIMIT_REACHED}: the numbers of the equation are too large; try a simpler one")
    return bounds


def check_linear_system(trees: Iterable[Tree]) -> None:
    """Check that a system can be linear, before anything is computed.

    Raises:
        CallError: execution_error: an equation divides by an unknown, or has a degree above MAX_SYSTEM_DEGREE.
    """
    for tree in trees:
        bounds = compute_bounds(tree)
        if bounds.denominator_degree > 0 or bounds.numerator_degree > MAX_SYSTEM_DEGREE:
            raise execution_error(NOT_LINEAR)


def _number_bounds(number: Fraction) -> Bounds:
    # (n - 1).bit_length() is the logarithm of n to base 2, rounded up
    numerator_bits, denominator_bits = (
        (max(abs(part), 1) - 1).bit_length() for part in (number.numerator, number.denominator)
    )
    return Bounds(0, numerator_bits, 0, denominator_bits)


def _operation_bounds(operator: str, left: Bounds, right: Bounds) -> Bounds:
    if operator == "/":
        right = _inverse(right)
    denominator = left.denominator_degree + right.denominator_degree, left.denominator_bits + right.denominator_bits
    if operator in "*/":
        numerator = left.numerator_degree + right.numerator_degree, left.numerator_bits + right.numerator_bits
        return Bounds(*numerator, *denominator)
    return Bounds(  # a/b + c/d = (ad + cb) / bd
        max(left.numerator_degree + right.denominator_degree, right.numerator_degree + left.denominator_degree),
        max(left.numerator_bits + right.denominator_bits, right.numerator_bits + left.denominator_bits) + 1,
        *denominator,
    )


def _inverse(bounds: Bounds) -> Bounds:
    return Bounds(*bounds[2:], *bounds[:2])
