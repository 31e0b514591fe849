"""Equations as text, read into a whitelisted tree, and bounded before anything is computed."""

import ast
import re
from collections.abc import Iterator
from fractions import Fraction

from callwright.errors import CallError
from callwright.functions.equation_bounds import Tree, bound_equation
from callwright.functions.guard import MAX_EQUATION_CHARACTERS
from callwright.functions.python_syntax import parse_python

EXAMPLE = "3*x + 5 = 26"
MAX_NAME = 20  # characters of an unknown's name

_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_NUMBER = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
_SPELLINGS = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/"})
_ALLOWED = re.compile(r"[A-Za-z0-9_.+*/() \t-]*")
_NUMBER_BEFORE_LETTER = re.compile(r"(?<![A-Za-z0-9_.])[0-9.]+[A-Za-z_]")  # 1e5, 0x10, 1if
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def read_equation(text: str) -> Tree:
    """The tree of left side - right side; `2x` is read as `2*x`, `^` as a power.

    Raises:
        CallError: bad_arguments: the text is not one equation; execution_error: its degree or its numbers are too
            large.

    >>> read_equation("2x = 6")
    ('-', ('*', ('number', Fraction(2, 1)), ('name', 'x')), ('number', Fraction(6, 1)))
    """
    if len(text) > MAX_EQUATION_CHARACTERS:
        raise _unreadable(f"it has more than {MAX_EQUATION_CHARACTERS} characters")
    plain = _RAISED.sub(lambda digits: f"^{digits[0].translate(_LOWERED)}", text.translate(_SPELLINGS))
    plain = plain.replace("^", "**").replace("==", "=")
    sides = plain.split("=")
    if len(sides) != 2:
        raise _unreadable("it needs one =")
    if not plain.isascii():
        raise _unreadable("it has signs that are not understood")
    left, right = (_read_side(side.strip()) for side in sides)
    difference = ("-", left, right)
    bound_equation(difference)
    return difference


def names_in(tree: Tree) -> Iterator[str]:
    """Names of the unknowns, repeated ones too."""
    if tree[0] == "name":
        yield tree[1]
    for part in tree[1:]:
        if isinstance(part, tuple):
            yield from names_in(part)


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
        raise _unreadable("one side is not a sum or product of numbers and unknowns") from None


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, node: ast.AST) -> Tree:
        match node:
            case ast.Constant():
                return "number", self._number(node)
            case ast.Name(name) if len(name) <= MAX_NAME:
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
            raise _unreadable("an exponent must be a whole number")
        return sign * node.value


def _unreadable(why: str) -> CallError:
    return CallError("bad_arguments", f"cannot read the equation: {why}; write it like {EXAMPLE}")
