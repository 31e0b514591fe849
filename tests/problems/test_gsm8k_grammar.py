"""The hand-written parser of GSM8K's expressions accepts and means the same as a grammar (docs/decisions/0025)."""

from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lark import Lark, UnexpectedInput

from callwright.problems.gsm8k_equations import (
    MAX_NESTING,
    EquationError,
    ExpressionTree,
    Number,
    Operation,
    Percent,
    parse_expression,
)

GRAMMAR = r"""
    ?start: sum
    ?sum: product | sum "+" product -> add | sum "-" product -> subtract
    ?product: factor | product "*" factor -> multiply | product "/" factor -> divide
        | product bracketed_factor -> multiply
    factor: operand | "+" factor | "-" factor -> negative | operand "^" factor -> power
    bracketed_factor: bracketed -> factor | bracketed "^" factor -> power
    ?operand: number | bracketed
    ?number: NUMBER -> plain_number | number "%" -> percent
    ?bracketed: "(" sum ")" | bracketed "%" -> percent

    NUMBER: /[0-9]+ [0-9]+\/[0-9]+|[0-9]+\.?[0-9]*|\.[0-9]+/
    %ignore /\s+/
"""


class Nested(NamedTuple):
    """A tree and the depth of its factors, which brackets and signs increase: `2 * 3` has 1, `-(2 * 3)` has 3."""

    tree: ExpressionTree
    depth: int


def operation(name: str):
    def build(self: "TreeBuilder", parts: list[Nested]) -> Nested:
        left, right = parts
        return Nested(Operation(name, left.tree, right.tree), max(left.depth, right.depth))

    return build


class TreeBuilder:
    add, subtract, multiply, divide = map(operation, ("add", "subtract", "multiply", "divide"))

    def power(self, parts: list[Nested]) -> Nested:
        return self.factor([operation("power")(self, parts)])

    def negative(self, parts: list[Nested]) -> Nested:
        tree, depth = parts[0]
        number = isinstance(tree, Number)
        return self.factor(
            [Nested(Number(-tree.value) if number else Operation("subtract", Number(Fraction(0)), tree), depth)]
        )

    def factor(self, parts: list[Nested]) -> Nested:
        tree, depth = parts[0]
        if depth == MAX_NESTING:
            raise ValueError("nested too deeply")
        return Nested(tree, depth + 1)

    def percent(self, parts: list[Nested]) -> Nested:
        return Nested(Percent(parts[0].tree), parts[0].depth)

    def plain_number(self, tokens: list[str]) -> Nested:
        whole, _, fraction = tokens[0].partition(" ")
        if not fraction:
            return Nested(Number(Fraction(whole.removesuffix("."))), 0)
        return Nested(Number(Fraction(whole) + Fraction(fraction)), 0)


PARSER = Lark(GRAMMAR, parser="lalr", transformer=TreeBuilder())
NUMBERS = st.sampled_from(["0", "3", "12", "2.5", ".5", "7.", "1 1/2", "2 3/0"])
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", " - ", "*", " / ", "^"]), inner).map("".join),
        st.tuples(st.sampled_from(["-", "+", "2", ""]), st.just("("), inner, st.sampled_from([")", ")%", ") "])).map(
            "".join
        ),
        st.tuples(st.sampled_from(["-", "+", "- "]), inner).map("".join),
        inner.map("{}%".format),
    ),
    max_leaves=12,
)
SIGNS = st.lists(st.sampled_from(["2", "3.5", "1 1/2", "+ ", "-", " *", "/", "^", "%", "(", ")"]), max_size=12)


def by_grammar(text: str) -> ExpressionTree | None:
    try:
        return PARSER.parse(text.replace("//", "/")).tree  # people write both
    except (UnexpectedInput, ValueError, ZeroDivisionError):
        return None


def by_hand(text: str) -> ExpressionTree | None:
    try:
        return parse_expression(text)
    except EquationError:
        return None


@settings(max_examples=400)
@given(EXPRESSIONS | SIGNS.map("".join))
@example("2(3)^2(4)")
@example("-2^-2%")
def test_the_parser_reads_an_expression_as_the_grammar_does(text):
    assert by_hand(text) == by_grammar(text)


@pytest.mark.parametrize("opening", ["(", "-", "+", "2^", "-(", "2("])
def test_the_parser_and_the_grammar_have_the_same_limit_of_depth(opening):
    texts = [opening * depth + "2" + ")" * (opening.count("(") * depth) for depth in range(2 * MAX_NESTING)]
    readable = [by_hand(text) is not None for text in texts]
    assert readable == [by_grammar(text) is not None for text in texts]
    assert sum(readable) == MAX_NESTING / (2 if opening == "-(" else 1)  # the sign and the bracket count both
