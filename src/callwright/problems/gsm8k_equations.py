"""Find equations in a written solution and parse them to trees. A recursive-descent parser; nothing is evaluated."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from callwright.errors import RowError
from callwright.functions.numbers import read_number

MAX_EXPRESSION_CHARACTERS = 300
MAX_NESTING = 12
_UNREADABLE = "unreadable expression"  # a reason, counted in reports/problems.json
MAX_UNIT_WORDS = 8  # between an operand and its operator: "5 boxes of eggs * 12"


class EquationError(RowError):
    """An expression that cannot be parsed or executed."""


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Percent:
    """`operand` percent."""

    operand: "ExpressionTree"


@dataclass(frozen=True, slots=True)
class Operation:
    """A binary operation; `name` is add, subtract, multiply, divide or power."""

    name: str
    left: "ExpressionTree"
    right: "ExpressionTree"


ExpressionTree = Number | Percent | Operation


class Equation(NamedTuple):
    """Both sides as written; `from_annotation`: it is a calculation annotation such as `<<4*2=8>>`, not prose."""

    expression: str
    result: str
    from_annotation: bool


class Amount(NamedTuple):
    """A number; if `is_percent`, it means value / 100."""

    value: Fraction
    is_percent: bool


_ANNOTATION = re.compile(r"<<([^<>]*)>>")
_TRIVIAL_ANNOTATION = re.compile(r"<<([^<>=]*)=\1>>")  # <<24=24>> has no operation; the prose before it may have one
_ANNOTATION_PLACEHOLDER = "\ufffc"  # replaces an annotation, so that its "=" is not found in prose
# At most 20 groups, as the time would else grow with the square of the length of a run that is not a number.
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
    """Every `expression = number` in reading order: calculation annotations `<<4*2=8>>`, and equations in prose.

    In prose, unit words are ignored ("5 boxes * 12 = 60 eggs"). The result can be nonsense, so callers must check that
    it holds. An equation in prose is skipped if an annotation on its line has the same result.
    """
    for line in text.splitlines():
        yield from _find_equations_in_line(_TRIVIAL_ANNOTATION.sub("", line.replace(_ANNOTATION_PLACEHOLDER, "")))


def _find_equations_in_line(line: str) -> Iterator[Equation]:
    annotations = [match.group(1).rpartition("=") for match in _ANNOTATION.finditer(line)]
    annotated_results = {_normalise(result).strip() for _, _, result in annotations}
    next_annotation = iter(annotations)
    prose = _OPERATOR_WORD.sub(
        lambda match: _OPERATOR_BY_WORD[match.group()], _normalise(_ANNOTATION.sub(_ANNOTATION_PLACEHOLDER, line))
    )
    start = 0
    for match in re.finditer(f"[={_ANNOTATION_PLACEHOLDER}]", prose):
        if match.group() == _ANNOTATION_PLACEHOLDER:
            expression, _, result = next(next_annotation)
            yield Equation(expression, result, True)
            continue
        expression = _last_expression(_TEXT_TOKEN.findall(prose[start : match.start()]))
        result_match = _RESULT.match(prose, match.end())
        if expression and result_match and result_match.group().strip() not in annotated_results:
            yield Equation(expression, result_match.group().strip(), False)
        start = match.end()


def _last_expression(tokens: list[str]) -> str:
    """The expression at the end of a text: the longest run of operands, operators and unit words, without the words."""
    tokens_reversed: list[str] = []
    unit_words = 0
    while tokens and len(tokens_reversed) < MAX_EXPRESSION_CHARACTERS:
        token = tokens.pop()
        before_operator = not tokens_reversed or tokens_reversed[-1] in "+-*/^)"
        if not before_operator and token in ("x", "X", "of"):
            tokens_reversed.append("*")
        elif _PLAIN_NUMBER.fullmatch(token) or token in "+-*/^()%":
            tokens_reversed.append(token)
            unit_words = 0
        elif before_operator and token.isalpha() and len(token) > 1 and unit_words < MAX_UNIT_WORDS:
            unit_words += 1
            if tokens and tokens[-1] == "/":  # $5/hour
                tokens.pop()
        else:
            break
    unclosed = tokens_reversed.count("(") - tokens_reversed.count(")")
    while tokens_reversed and (tokens_reversed[-1] in "+*/^)%" or unclosed):
        token = tokens_reversed.pop()
        unclosed -= (token == "(") - (token == ")")
    return " ".join(reversed(tokens_reversed))


def _normalise(text: str) -> str:
    text = text.translate(_SYMBOL_REPLACEMENTS).replace("**", "^").replace("//", "/")
    return _THOUSANDS.sub(lambda match: re.sub("[, ]", "", match.group()), text)


def read_result(text: str) -> Amount:
    """Parse the right-hand side of an equation.

    Raises:
        EquationError: the text is not one number.

    >>> read_result("1 1/2").value, read_result("20%").is_percent
    (Fraction(3, 2), True)
    """
    digits = _normalise(text).strip()
    try:
        return Amount(_read_mixed(digits.removesuffix("%")), digits.endswith("%"))
    except ValueError:
        raise EquationError(_UNREADABLE) from None


def _read_mixed(digits: str) -> Fraction:
    """A number, or a whole number and a fraction such as 2 1/2."""
    integer, space, fraction = digits.strip().partition(" ")
    if space and integer.isdecimal() and fraction[:1].isdecimal():
        return read_number(integer) + read_number(fraction)
    return read_number(digits)


_TOKEN = re.compile(r"\s*([0-9]+ [0-9]+/[0-9]+|[0-9]+\.?[0-9]*|\.[0-9]+|[-+*/^()%])")
_X_AS_TIMES = re.compile(r"(?<=[0-9)%\s])[xX](?=[\s0-9(.])")
_TIMES_HUNDREDTH = re.compile(r"(?<=[0-9])\*\.01(?![0-9])")  # how GSM8K's annotations write the percent sign
_OPERATION_BY_SIGN = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}


def parse_expression(text: str) -> ExpressionTree:
    """Parse an arithmetic expression: + - * / ^ % parentheses, `x` and `2(3)` as times, `1,200`, `.5`, `2 1/2`.

    Raises:
        EquationError: the text is not such an expression, or exceeds MAX_EXPRESSION_CHARACTERS or MAX_NESTING.

    >>> parse_expression("50 x 20%").right
    Percent(operand=Number(value=Fraction(20, 1)))
    """
    if len(text) > MAX_EXPRESSION_CHARACTERS:
        raise EquationError(_UNREADABLE)
    text = _X_AS_TIMES.sub("*", _normalise(text)).strip()
    if not re.fullmatch(r"[0-9.]+\*\.01", text):  # 600*.01 as the whole expression counts pennies
        text = _TIMES_HUNDREDTH.sub("%", text)
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise EquationError(_UNREADABLE)
        tokens.append(match.group(1))
        position = match.end()
    return _Parser(tokens).parse()


class _Parser:
    """Recursive descent: sum > term > factor > atom, one method per level."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = [*tokens, ""]
        self._position = 0
        self._depth = 0

    def parse(self) -> ExpressionTree:
        tree = self._sum()
        if self._next_token:
            raise EquationError(_UNREADABLE)
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
            raise EquationError(_UNREADABLE)
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
                raise EquationError(_UNREADABLE)
            self._take_token()
        else:
            try:
                tree = Number(_read_mixed(token))
            except ValueError:
                raise EquationError(_UNREADABLE) from None
        while self._next_token == "%":
            self._take_token()
            tree = Percent(tree)
        return tree
