"""Equations as data: read from text, bounded before any solver sees them."""

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


NOT_LINEAR = "several equations must be linear: no products, powers or quotients of unknowns"


class Bounds(NamedTuple):
    """Upper bounds of a quotient of polynomials: degrees, and bits of the sum of the coefficients' absolute values."""

    degree: int
    bits: int
    denominator_degree: int
    denominator_bits: int


def compute_bounds(tree: Tree) -> Bounds:
    """The bounds of a tree. The bounds of its parts are checked too.

    Raises:
        CallError: execution_error: the degree is above MAX_DEGREE, or the numbers are too large for it.
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
    degree = max(bounds.degree, bounds.denominator_degree)
    size = max(bounds.bits, bounds.denominator_bits)
    if degree > MAX_DEGREE:
        raise execution_error(f"{LIMIT_REACHED}: the equation has a degree above {MAX_DEGREE}; try a simpler one")
    if size > MAX_BITS or degree * size > MAX_DEGREE_BITS:
        raise execution_error(f"{LIMIT_REACHED}: the numbers of the equation are too large; try a simpler one")
    return bounds


def check_linear_system(trees: Iterable[Tree]) -> None:
    """Refuse a system that is visibly not linear, before anything is computed.

    Raises:
        CallError: execution_error: an unknown is divided by, or the degree is above MAX_SYSTEM_DEGREE.
    """
    for tree in trees:
        bounds = compute_bounds(tree)
        if bounds.denominator_degree > 0 or bounds.degree > MAX_SYSTEM_DEGREE:
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
    bottom = left.denominator_degree + right.denominator_degree, left.denominator_bits + right.denominator_bits
    if operator in "*/":
        return Bounds(left.degree + right.degree, left.bits + right.bits, *bottom)
    return Bounds(  # a/b + c/d = (ad + cb) / bd
        max(left.degree + right.denominator_degree, right.degree + left.denominator_degree),
        max(left.bits + right.denominator_bits, right.bits + left.denominator_bits) + 1,
        *bottom,
    )


def _inverse(bounds: Bounds) -> Bounds:
    return Bounds(bounds.denominator_degree, bounds.denominator_bits, bounds.degree, bounds.bits)


EXAMPLE = "3*x + 5 = 26"
MAX_NAME_CHARACTERS = 20  # characters of an unknown's name

_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_NUMBER = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
_OPERATOR_VARIANTS = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/"})
_ALLOWED = re.compile(r"[A-Za-z0-9_.+*/() \t-]*")
_NUMBER_BEFORE_LETTER = re.compile(r"(?<![A-Za-z0-9_.])[0-9.]+[A-Za-z_]")  # 1e5, 0x10, 1if
_SUPERSCRIPTS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_SUPERSCRIPT_TO_DIGIT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def read_equation(text: str) -> Tree:
    """The tree of left side - right side; `2x` is read as `2*x`, `^` as a power.

    Raises:
        CallError: bad_arguments: the text is not one equation; execution_error: its degree or its numbers are too
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
    """Names of the unknowns, repeated ones too."""
    if tree[0] == "name":
        yield tree[1]
    for part in tree[1:]:
        if isinstance(part, tuple):
            yield from find_unknowns(part)


def _read_side(side: str) -> Tree:
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
        """The number as it is written: a float would round it."""
        written = self._text[node.col_offset : node.end_col_offset]
        if _NUMBER.fullmatch(written) is None:
            raise ValueError("not a plain number")
        return Fraction(written.removesuffix("."))

    def _exponent(self, node: ast.AST) -> int:
        sign = 1
        while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            node, sign = node.operand, -sign
        if not isinstance(node, ast.Constant) or type(node.value) is not int:
            raise _parse_error("an exponent must be a whole number")
        return sign * node.value


def _parse_error(why: str) -> CallError:
    return CallError("bad_arguments", f"cannot read the equation: {why}; write it like {EXAMPLE}")
