import warnings

import pytest

from callwright.functions.guard import LIMIT_REACHED
from callwright.functions.solvers.equations import NOT_LINEAR, read_equation
from callwright.functions.toolbox import Observation, Toolbox
from callwright.records import Call
from callwright.tasks.arithmetic.functions import answer, solve

TOOLBOX = Toolbox((solve, answer))


def result_text(equation: object, **arguments: object) -> str:
    result = TOOLBOX.open().execute(Call("solve", {"equation": equation, **arguments}))
    return result.text if isinstance(result, Observation) else f"{result.fault}: {result.message}"


@pytest.mark.parametrize(
    ("equation", "solution"),
    [
        ("3*x + 5 = 26", "7"),  # (26 - 5) / 3
        ("2x = 7", "3.5"),
        ("y/3 = 1/9", "1/3"),  # the unknown may have any name
        ("0.1x = 0.3", "3"),  # decimals are exact
        ("-x = 4", "-4"),
        ("x = -2**2", "-4"),
        ("2(x + 1) = 3(x - 1)", "5"),  # 2x + 2 = 3x - 3
        ("x = 7.", "7"),
        ("5 = x", "5"),
        ("x − 3 == 4", "7"),
        ("6 ÷ x = 3", "2"),
        ("(x + 1)**-1 = 1/3", "2"),
        ("x^2 - 5x + 6 = 0", "[2, 3]"),  # (x - 2)(x - 3)
        ("x² = 9", "[-3, 3]"),
        ("x**3 = x", "[-1, 0, 1]"),
        ("x**2 = 6x - 9", "3"),  # (x - 3)**2
        ("x¹ + x² = 12", "[-4, 3]"),
        ("2⋅x = 6", "3"),
        ("(x^2 - 2)/(x^2 - 2) = x", "1"),  # the roots of 2 divide by zero
        pytest.param(f"x = {'9' * 80}.5 - {'9' * 80}", "0.5", id="two long numbers"),
        (["x + y = 10", "x - y = 2"], "6"),  # 2x = 12
        (["x + y = 10", "2x + 2y = 20", "x - y = 2"], "6"),
        (["(x + 2)*(y + 3) = x*y + 30", "x = y"], "4.8"),  # 3x + 2y + 6 = 30
        (["x = 1", "2 = 2"], "1"),
    ],
)
def test_solutions_are_exact_rationals(equation, solution):
    assert result_text(equation) == solution


def test_the_variable_of_a_system_can_be_chosen():
    system = ["a + b = 10", "a - b = 2"]
    assert (result_text(system, variable="a"), result_text(system, variable="b")) == ("6", "4")


@pytest.mark.parametrize(
    ("equation", "line"),
    [
        ("x = x + 1", "no x solves this equation"),
        ("x**2 + 1 = 0", "no x solves this equation"),  # among the real numbers
        ("(x**2 - 1)/(x - 1) = 2", "no x solves this equation"),  # x = 1 divides by zero
        ("2x = x + x", "x may have any value: the equation does not fix it"),
        ("1/(x - x) = 2", "the equation divides by zero"),
        ("x**2 = 2", "x is not a fraction: it is about -1.41421 or 1.41421"),
        ("x**3 = 2x", "x is not a fraction: it is about -1.41421 or 0 or 1.41421"),
        ("(x^2-2)^2 = 0", "x is not a fraction: it is about -1.41421 or 1.41421"),
        ("(x^2-2)^4 = 0", "x is not a fraction: it is about -1.41421 or 1.41421"),
        ("((10^30+x))^2 = 2", "x is not a fraction: it is about -1e+30"),  # both roots, to six digits
        ("x^2 = 2 * 10^60", "x is not a fraction: it is about -1.41421e+30 or 1.41421e+30"),
        ("x^2 = 2 / 10^60", "x is not a fraction: it is about -1.41421e-30 or 1.41421e-30"),
        ("x^2 = 90000.5", "x is not a fraction: it is about -300.001 or 300.001"),  # 300 + 0.5 / 600
        ("x^2 = 200000 ** 2 + 1", "x is not a fraction: it is about -200000 or 200000"),
        ("1000(1 + x/100)^8 = 1500.55", "x is not a fraction: it is about -205.204 or 5.20377"),
        ("0^0 = x", "0 to the power of 0 is not defined"),
        ("y = (0)^0", "0 to the power of 0 is not defined"),
        ("y = (y - y)^0", "0 to the power of 0 is not defined"),
        ("x * x^0 = 0", "no x solves this equation"),  # as x = 0 would be 0^0
        (["x*y/y = 2", "y = 0"], NOT_LINEAR),
        (["x + y^0 = 2", "y = 0"], NOT_LINEAR),
        (["x^3 - x^3 + x = 1", "y = 1"], NOT_LINEAR),  # not computed, though it cancels
        ("x^9 = 1", f"{LIMIT_REACHED}: the equation has a degree above 8; try a simpler one"),
        ("x^23 = 1", f"{LIMIT_REACHED}: the equation has a degree above 8; try a simpler one"),
        ("x²³ = 1", f"{LIMIT_REACHED}: the equation has a degree above 8; try a simpler one"),
        ("x^8 = 2^257", f"{LIMIT_REACHED}: the numbers of the equation are too large; try a simpler one"),
        ("x = 2^1025", f"{LIMIT_REACHED}: the numbers of the equation are too large; try a simpler one"),
        (["x + y = 1", "x + y = 2"], "no numbers solve these equations"),
        (["x + y = 1", "2x + 2y = 2"], "x may have any value: the equations do not fix it"),
        (["x*y = 1", "x = 2"], NOT_LINEAR),
    ],
)
def test_an_error_says_why_there_is_no_rational_solution(equation, line):
    assert result_text(equation) == f"execution_error: {line}"


@pytest.mark.parametrize(
    ("equation", "line"),
    [
        ("3*x + 5", "it needs one ="),
        ("x = 1 = 2", "it needs one ="),
        ("x =", "one side is not a sum or product of numbers and unknowns"),
        ("2 3*x = 6", "one side is not a sum or product of numbers and unknowns"),
        ("x = 1,200", "one side is not a sum or product of numbers and unknowns"),
        ("x = 1e5", "one side is not a sum or product of numbers and unknowns"),
        ("x = 2**y", "an exponent must be a whole number"),
        ("x = 2**0.5", "an exponent must be a whole number"),
        ("x = ٣", "it has signs that are not understood"),
        ("х = 5", "it has signs that are not understood"),  # a Cyrillic letter
        ("x = " + "1" * 200, "it has more than 200 characters"),
    ],
)
def test_a_text_that_is_not_an_equation_is_refused_with_an_example(equation, line):
    assert result_text(equation) == f"bad_arguments: cannot read the equation: {line}; write it like 3*x + 5 = 26"


def test_a_solution_that_is_too_large_is_refused():
    system = ["7^300*x + 3^500*y = 1", "5^300*x + 2^900*y = 11^250"]  # x = (2^900 - 3^500 * 11^250) / ...
    assert result_text(system) == "execution_error: the result would be too large"


def test_unknowns_must_match_equations():
    assert result_text("2x + y = 3") == "bad_arguments: 2 unknowns need 2 equations, as a list"
    assert result_text("5 = 5") == "bad_arguments: 'x' is not in the equation: it has no unknown"
    wrong_variable = result_text(["a + b = 1", "a - b = 1"], variable="z")
    assert wrong_variable == "bad_arguments: 'z' is not in the equation: its unknowns are a, b"
    assert result_text(7).startswith("bad_arguments: solve cannot take this equation: an equation is a text")
    assert result_text(["x = 1"] * 7).startswith(
        "bad_arguments: solve cannot take this equation: more than 6 equations"
    )


@pytest.mark.parametrize("equation", ["x = 1if x else 2", "x = 1e5x", "x = 1or 2", "x = '\\d'", "x = 1 is 1"])
def test_a_text_that_python_would_warn_about_is_refused_without_a_warning(equation):
    with warnings.catch_warnings(action="error"):
        assert result_text(equation).startswith("bad_arguments: cannot read the equation: one side is not a sum")


def test_an_equation_is_parsed_into_plain_tuples():
    x, number = ("name", "x"), ("number", 1)
    assert read_equation("x**2 = -x") == ("-", ("**", x, 2), ("-", ("number", 0), x))
    assert read_equation("1/x = 1") == ("-", ("/", number, x), number)


def test_the_help_is_short():
    assert len(f"{solve.signature()}: {solve.description} {solve.example_call()}") < 130
