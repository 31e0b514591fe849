"""Equations in a written solution: text -> small tree. Read by hand-written descent; nothing is evaluated as code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from callwright.errors import RowError
from callwright.functions.numbers import read_number

MAX_EXPRESSION_CHARACTERS = 300
MAX_NESTING = 12
MAX_UNIT_WORDS = 8  # between an operand and its operator: "5 boxes of eggs * 12"


class EquationError(RowError):
    """An expression that cannot be read or worked out."""


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction


@dataclass(frozen=True, slots=True)
class Percent:
    """`of` percent: the number that stands before the sign."""

    of: "ExpressionTree"


@dataclass(frozen=True, slots=True)
class Operation:
    """One of add, subtract, multiply, divide, power."""

    name: str
    left: "ExpressionTree"
    right: "ExpressionTree"


ExpressionTree = Number | Percent | Operation


class Equation(NamedTuple):
    """Both sides as written. `marked`: it stood in a calculator mark."""

    expression: str
    result: str
    from_annotation: bool


class Amount(NamedTuple):
    """A value, in percent when `percent` (what it stands for is then value / 100)."""

    value: Fraction
    percent: bool


_ANNOTATION = re.compile(r"<<([^<>]*)>>")
_TRIVIAL_ANNOTATION = re.compile(r"<<([^<>=]*)=\1>>")  # <<24=24>> says nothing; the prose before it may
_ANNOTATION_PLACEHOLDER = "\ufffc"  # stands where a mark stood, so that the mark's own "=" is not read twice
# At most 20 groups: with any number of them, a long run that is no number would be read again from each of its groups.
_THOUSANDS = re.compile(r"(?<![0-9.])[0-9]{1,3}(?:(?:,[0-9]{3}){1,20}|(?: [0-9]{3}){1,20})(?![0-9,])")
_SYMBOL_REPLACEMENTS = str.maketrans(
    {"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "[": "(", "]": ")", **dict.fromkeys("$€£")}
)
_OPERATOR_BY_WORD = {"plus": "+", "minus": "-", "times": "*", "multiplied by": "*", "divided by": "/", "equals": "="}
_OPERATOR_WORD = re.compile(rf"\b(?:{'|'.join(_OPERATOR_BY_WORD)})\b")
_TEXT_TOKEN = re.compile(r"[0-9]+ [0-9]+/[0-9]+|[0-9]+(?:\.[0-9]+)?|\.[0-9]+|[^\W\d_]+|\S")
_PLAIN_NUMBER = re.compile(r"\.?[0-9][0-9./ ]*")
_RESULT = re.compile(r"\s*(-?(?:[0-9]+ [0-9]+/[0-9]+|[0-9]+(?: ?/ ?[0-9]+|\.[0-9]+)?|\.[0-9]+))( ?%)?")


def find_equations(text: str) -> Iterator[Equation]:
    """Every `expression = number` in reading order: calculator marks `<<4*2=8>>` and equations in the prose beside.

    The prose reading drops unit words ("5 boxes * 12 = 60 eggs") and can yield nonsense: check that it holds. Where a
    mark on the same line gives the same result, the mark alone is read.
    """
    for line in text.splitlines():
        yield from _find_equations_in_line(_TRIVIAL_ANNOTATION.sub("", line.replace(_ANNOTATION_PLACEHOLDER, "")))


def _find_equations_in_line(line: str) -> Iterator[Equation]:
    marks = [mark.group(1).rpartition("=") for mark in _ANNOTATION.finditer(line)]
    marked_results = {_normalise(result).strip() for _, _, result in marks}
    unread_marks = iter(marks)
    prose = _OPERATOR_WORD.sub(
        lambda word: _OPERATOR_BY_WORD[word.group()], _normalise(_ANNOTATION.sub(_ANNOTATION_PLACEHOLDER, line))
    )
    start = 0
    for stop in re.finditer(f"[={_ANNOTATION_PLACEHOLDER}]", prose):
        if stop.group() == _ANNOTATION_PLACEHOLDER:
            expression, _, result = next(unread_marks)
            yield Equation(expression, result, True)
            continue
        expression = _last_expression(_TEXT_TOKEN.findall(prose[start : stop.start()]))
        written = _RESULT.match(prose, stop.end())
        if expression and written and written.group().strip() not in marked_results:
            yield Equation(expression, written.group().strip(), False)
        start = stop.end()


def _last_expression(tokens: list[str]) -> str:
    """The longest run of operands, operators and unit words at the end, without the words."""
    kept: list[str] = []  # from right to left
    words = 0
    while tokens and len(kept) < MAX_EXPRESSION_CHARACTERS:
        token = tokens.pop()
        before_operator = not kept or kept[-1] in "+-*/^)"
        if not before_operator and token in ("x", "X", "of"):
            kept.append("*")
        elif _PLAIN_NUMBER.fullmatch(token) or token in "+-*/^()%":
            kept.append(token)
            words = 0
        elif before_operator and token.isalpha() and len(token) > 1 and words < MAX_UNIT_WORDS:
            words += 1
            if tokens and tokens[-1] == "/":  # $5/hour
                tokens.pop()
        else:
            break
    unclosed = kept.count("(") - kept.count(")")
    while kept and (kept[-1] in "+*/^)%" or unclosed):
        token = kept.pop()
        unclosed -= (token == "(") - (token == ")")
    return " ".join(reversed(kept))


def _normalise(text: str) -> str:
    text = text.translate(_SYMBOL_REPLACEMENTS).replace("**", "^").replace("//", "/")
    return _THOUSANDS.sub(lambda match: re.sub("[, ]", "", match.group()), text)


def read_result(text: str) -> Amount:
    """The right-hand side of an equation.

    Raises:
        EquationError: it is not one number.

    >>> read_result("1 1/2").value, read_result("20%").percent
    (Fraction(3, 2), True)
    """
    digits = _normalise(text).strip()
    try:
        return Amount(_read_mixed(digits.removesuffix("%")), digits.endswith("%"))
    except ValueError:
        raise EquationError("unreadable expression") from None


def _read_mixed(digits: str) -> Fraction:
    """A number, or a whole number and a fraction: 2 1/2."""
    whole, space, part = digits.strip().partition(" ")
    if space and whole.isdecimal() and part[:1].isdecimal():
        return read_number(whole) + read_number(part)
    return read_number(digits)


_TOKEN = re.compile(r"\s*([0-9]+ [0-9]+/[0-9]+|[0-9]+\.?[0-9]*|\.[0-9]+|[-+*/^()%])")
_X_AS_TIMES = re.compile(r"(?<=[0-9)%\s])[xX](?=[\s0-9(.])")
_TIMES_HUNDREDTH = re.compile(r"(?<=[0-9])\*\.01(?![0-9])")  # how GSM8K's calculator marks spell the percent sign
_OPERATION_BY_SIGN = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}


def parse_expression(text: str) -> ExpressionTree:
    """The tree of an arithmetic expression: + - * / ^ % parentheses, `x` and `2(3)` as times, `1,200`, `.5`, `2 1/2`.

    Raises:
        EquationError: it is not such an expression, or exceeds MAX_EXPRESSION_CHARACTERS or MAX_NESTING.

    >>> parse_expression("50 x 20%").right
    Percent(of=Number(value=Fraction(20, 1)))
    """
    if len(text) > MAX_EXPRESSION_CHARACTERS:
        raise EquationError("unreadable expression")
    text = _X_AS_TIMES.sub("*", _normalise(text)).strip()
    if not re.fullmatch(r"[0-9.]+\*\.01", text):  # 600*.01 alone: pennies
        text = _TIMES_HUNDREDTH.sub("%", text)
    tokens, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise EquationError("unreadable expression")
        tokens.append(match.group(1))
        place = match.end()
    return _Parser(tokens).parse()


class _Parser:
    """Recursive descent: sum > term > factor > atom; one method a level."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = [*tokens, ""]
        self._position = 0
        self._depth = 0

    def parse(self) -> ExpressionTree:
        tree = self._sum()
        if self._next_token:
            raise EquationError("unreadable expression")
        return tree

    @property
    def _next_token(self) -> str:
        return self._tokens[self._position]

    def _take_token(self) -> str:
        self._position += 1
        return self._tokens[self._position - 1]

    def _sum(self) -> ExpressionTree:
        tree = self._term()
        while self._next_token in ("+", "-"):
            tree = Operation(_OPERATION_BY_SIGN[self._take_token()], tree, self._term())
        return tree

    def _term(self) -> ExpressionTree:
        tree = self._factor()
        while self._next_token in ("*", "/", "("):
            sign = self._take_token() if self._next_token != "(" else "*"
            tree = Operation(_OPERATION_BY_SIGN[sign], tree, self._factor())
        return tree

    def _factor(self) -> ExpressionTree:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise EquationError("unreadable expression")
        tree = self._signed()
        self._depth -= 1
        return tree

    def _signed(self) -> ExpressionTree:
        if self._next_token == "-":
            self._take_token()
            tree = self._factor()
            return Number(-tree.value) if isinstance(tree, Number) else Operation("subtract", Number(Fraction(0)), tree)
        if self._next_token == "+":
            self._take_token()
            return self._factor()
        tree = self._atom()
        if self._next_token == "^":
            self._take_token()
            return Operation("power", tree, self._factor())
        return tree

    def _atom(self) -> ExpressionTree:
        token = self._take_token() if self._next_token else ""
        tree: ExpressionTree
        if token == "(":
            tree = self._sum()
            if self._next_token != ")":
                raise EquationError("unreadable expression")
            self._take_token()
        else:
            try:
                tree = Number(_read_mixed(token))
            except ValueError:
                raise EquationError("unreadable expression") from None
        while self._next_token == "%":
            self._take_token()
            tree = Percent(tree)
        return tree
