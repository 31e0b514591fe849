"""Text to equations to trees. test_gsm8k.py tests their results, by gold chains."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.problems.gsm8k_equations import (
    MAX_NESTING,
    Equation,
    EquationError,
    ExpressionTree,
    Number,
    Operation,
    Percent,
    find_equations,
    parse_expression,
    read_result,
)

SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "^"}


def with_parentheses(tree: ExpressionTree) -> str:
    """The tree with every operation in parentheses."""
    match tree:
        case Number(value):
            return str(value)
        case Percent(operand):
            return f"{with_parentheses(operand)}%"
        case Operation(name, left, right):
            return f"({with_parentheses(left)}{SIGNS[name]}{with_parentheses(right)})"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("16-3-4", "((16-3)-4)"),
        ("2+3*4", "(2+(3*4))"),
        ("(2+3)*4", "((2+3)*4)"),
        ("12/4/3", "((12/4)/3)"),
        ("12//4", "(12/4)"),
        ("2^3^2", "(2^(3^2))"),
        ("2**3", "(2^3)"),
        ("-5+8", "(-5+8)"),
        ("71+-3", "(71+-3)"),
        ("-(2+3)", "(0-(2+3))"),
        ("+30+46", "(30+46)"),
        (".5*40", "(1/2*40)"),
        ("$1,200 x 3", "(1200*3)"),
        ("5x3", "(5*3)"),
        ("5 × 6 ÷ 2", "((5*6)/2)"),
        ("9 − 4", "(9-4)"),
        ("2(3+4)", "(2*(3+4))"),
        ("(1/2)(20)", "((1/2)*20)"),
        ("14 * 1 1/2", "(14*3/2)"),
        ("50*20%", "(50*20%)"),
        ("(100%-20%)*50", "((100%-20%)*50)"),
        ("50*20*.01", "(50*20%)"),
        ("600*.01", "(600*1/100)"),
        ("6000*0.01+1", "((6000*1/100)+1)"),
    ],
)
def test_an_expression_is_parsed_with_the_usual_precedence(text: str, expected: str):
    assert with_parentheses(parse_expression(text)) == expected


@pytest.mark.parametrize(
    "text", ["", "5+", "(5+3", "5)", "3y+2", "5!", "2 3", "1.2.3", "4:2", "1 3/0", "__import__('os')", "1" * 701 + "+1"]
)
def test_text_that_is_not_arithmetic_is_rejected(text: str):
    with pytest.raises(EquationError, match="unreadable expression"):
        parse_expression(text)


def test_expressions_have_a_maximum_length_and_nesting():
    deep = MAX_NESTING - 1
    assert with_parentheses(parse_expression("(" * deep + "1" + ")" * deep)) == "1"
    for text in ("(" * 100_000, "(" * MAX_NESTING + "1" + ")" * MAX_NESTING, "-" * 200 + "1", "1" + "+1" * 150):
        with pytest.raises(EquationError):
            parse_expression(text)


@given(st.text(alphabet="0123456789.+-*/^()%x ,$", max_size=40))
def test_any_text_is_parsed_or_rejected(text: str):
    try:
        parse_expression(text)
    except EquationError as error:
        assert str(error) == "unreadable expression"


ANNOTATED = ("<<2*3=6>>", "<<10/4=2.5>>", "<<7+8=15>>")
PROSE = ("5 + 1 = 6", "x", " and ", "=", "<", ">>", "\n", "\ufffc", "3 boxes * ", "$4 = 4", "plus 1 equals 2", "% of ")


@given(st.lists(st.sampled_from(ANNOTATED + PROSE)))
def test_any_text_gives_its_annotations_in_order_and_arithmetic_between_them(pieces: list[str]):
    equations = list(find_equations(" ".join(pieces)))
    annotated = [f"<<{equation.expression}={equation.result}>>" for equation in equations if equation.from_annotation]
    assert annotated == [piece for piece in pieces if piece in ANNOTATED]
    for equation in equations:
        if not equation.from_annotation:
            assert re.fullmatch(r"[0-9./+*^()% -]+", equation.expression)
            read_result(equation.result)


@given(st.text(alphabet="01 =<>.+-*/()%xa\n\ufffc$,", max_size=60))
def test_equations_in_any_text_are_arithmetic(text: str):
    for equation in find_equations(text):
        pattern = r"[^<>]*" if equation.from_annotation else r"[0-9./+*^()% -]+"
        assert re.fullmatch(pattern, equation.expression)
        assert equation.from_annotation or re.match(r"-?[0-9.]", equation.result)


def test_a_result_can_be_in_percent_in_thousands_or_a_mixed_number():
    assert read_result("$1,200") == (1200, False)
    assert read_result("20%") == (20, True)
    assert read_result("2 1/2") == (Fraction(5, 2), False)
    with pytest.raises(EquationError):
        read_result("three")


def find_expressions(text: str) -> list[tuple[str, str]]:
    return [(equation.expression, equation.result) for equation in find_equations(text)]


def test_annotations_and_equations_in_prose_are_found_in_reading_order():
    text = "First 24 + 36 = 60.\nSo 2 * 60 = $<<2*60=120>>120, and 120 / 4 = 30 each."
    assert list(find_equations(text)) == [
        Equation("24 + 36", "60", from_annotation=False),
        Equation("2*60", "120", from_annotation=True),
        Equation("120 / 4", "30", from_annotation=False),
    ]


def test_an_annotation_replaces_prose_with_the_same_result():
    assert find_expressions("20% of 50 = 10, or 50*.2 = <<50*.2=10>>10.") == [("50*.2", "10")]


def test_prose_replaces_an_annotation_without_an_operation():
    assert find_expressions("She has $9 - $4 = $<<5=5>>5 left.") == [("9 - 4", "5")]


@pytest.mark.parametrize(
    ("text", "expression", "result"),
    [
        ("Each day = $5 * 3 = 15.", "5 * 3", "15"),
        ("He buys 5 boxes of eggs * 12 eggs/box = 60 eggs", "5 * 12", "60"),
        ("They sold (12 cakes + 3 pies) / 5 days = 3", "( 12 + 3 ) / 5", "3"),
        ("She drinks 20% of 50 ml = 10 ml", "20 % * 50", "10"),
        ("Hens:20(.80)=16", "20 ( .80 )", "16"),
        ("because 10 times 25 equals 250", "10 * 25", "250"),
        ("7 minus 6 equals 1", "7 - 6", "1"),
        ("A year has 365 days. In all 80 000 + 20 000 = 100 000", "80000 + 20000", "100000"),
        ("It is 3/4*2 = 1 1/2 feet", "3 / 4 * 2", "1 1/2"),
        ("the rest is 100% - 30% = 70%", "100 % - 30 %", "70%"),
    ],
)
def test_unit_words_in_prose_are_ignored(text: str, expression: str, result: str):
    assert find_expressions(text) == [(expression, result)]


def test_each_part_of_a_chained_equation_is_found():
    assert find_expressions("24*3 = 72 + 5 = 77") == [("24 * 3", "72"), ("72 + 5", "77")]
