import pytest
from hypothesis import assume, given

from callwright.errors import CallError
from callwright.functions.formulas.formula import (
    ForAll,
    Formula,
    Variable,
    format_formula,
    free_variables,
    parse_formula,
)
from callwright.functions.function import render_call
from callwright.functions.toolbox import Observation, Toolbox
from callwright.records import Call
from callwright.tasks.translation import functions
from tests.functions.formulas.test_grammar import formulas

TOOLBOX = Toolbox(functions.ALL)


def result_text(name: str, /, **arguments: object) -> str:
    result = TOOLBOX.open().execute(Call(name, arguments))
    assert isinstance(result, Observation), result
    return result.text


def error_of(name: str, /, **arguments: object) -> CallError:
    result = TOOLBOX.open().execute(Call(name, arguments))
    assert isinstance(result, CallError)
    return result


def test_each_builder_adds_one_part_and_returns_the_formula():
    dog, cat = "Dog(x)", "Cat(x)"
    assert result_text("predicate", name="Likes", terms=["x", "rex"]) == "Likes(x, rex)"
    assert result_text("negate", body=dog) == "not Dog(x)"
    assert result_text("conjoin", left=dog, right=cat) == "Dog(x) and Cat(x)"
    assert result_text("disjoin", left=dog, right=cat) == "Dog(x) or Cat(x)"
    assert result_text("exclusive", left=dog, right=cat) == "Dog(x) xor Cat(x)"
    assert result_text("imply", left=dog, right=cat) == "Dog(x) -> Cat(x)"
    assert result_text("equivalent", left=dog, right=cat) == "Dog(x) <-> Cat(x)"
    assert result_text("for_all", variable="x", body="Dog(x) -> Cat(x)") == "all x. (Dog(x) -> Cat(x))"
    assert result_text("exists", variable="x", body=dog) == "exists x. Dog(x)"


def test_an_argument_may_be_written_in_any_notation():
    assert result_text("negate", body="∀x (Dog(x) → Cat(x))") == "not (all x. (Dog(x) -> Cat(x)))"


def test_the_result_has_brackets_where_they_are_needed():
    assert result_text("conjoin", left="A(x) or B(x)", right="C(x)") == "(A(x) or B(x)) and C(x)"
    assert result_text("negate", body="A(x) and B(x)") == "not (A(x) and B(x))"
    assert result_text("imply", left="all x. A(x)", right="B(a)") == "(all x. A(x)) -> B(a)"


@pytest.mark.parametrize(
    ("name", "arguments", "line"),
    [
        ("negate", {"body": "Dog(x"}, "negate cannot take this body: the bracket '(' in column 4 is not closed"),
        ("negate", {"body": 5}, "negate cannot take this body: a formula is a text"),
        ("predicate", {"name": "Dog", "terms": []}, "predicate needs at least one term; call it like predicate(name"),
        ("predicate", {"name": "Dog(x)", "terms": ["x"]}, "predicate cannot take this name: 'Dog(x)' is not a name"),
        ("predicate", {"name": "Dog", "terms": ["big rex"]}, "'big rex' is not a name: write letters"),
        ("predicate", {"name": "not", "terms": ["x"]}, "predicate cannot take this name: 'not' is a word"),
        ("for_all", {"variable": "rex", "body": "Dog(rex)"}, "for_all cannot take this variable: 'rex' is not a var"),
        ("conjoin", {"left": "Likes(x)", "right": "Likes(x, y)"}, "Likes stands with 1 and with 2 names"),
        ("answer", {"value": "Dog(x)"}, "x is bound by no quantifier: say all x. (...) or exists x. (...)"),
    ],
)
def test_a_wrong_argument_is_an_error_of_one_line(name: str, arguments: dict[str, object], line: str):
    error = error_of(name, **arguments)
    assert error.fault == "bad_arguments"
    assert line in error.message


def test_a_result_beyond_the_limits_is_refused():
    deep = "not " * 29 + "A(a)"
    assert error_of("negate", body=deep).message == "the result would be a formula nested deeper than 30"
    long = " or ".join(f"A({'b' * 75}{n})" for n in range(13))  # about 1,080 characters
    assert "more than 2,000 characters" in error_of("conjoin", left=long, right=long).message


def test_calls_in_different_notations_have_one_canonical_form():
    ascii_call, unicode_call = (Call("negate", {"body": text}) for text in ("all x. (A(x) -> B(x))", "∀x(A(x)→B(x))"))
    assert TOOLBOX.canonical(ascii_call) == TOOLBOX.canonical(unicode_call) == "negate(body='all x. (A(x) -> B(x))')"


def test_building_calls_build_each_part_once():
    calls = functions.building_calls(parse_formula("Tired(kat) and Happy(kat) or not Tired(kat)"))
    assert [render_call(call) for call in calls] == [
        "predicate(name='Tired', terms=['kat'])",
        "predicate(name='Happy', terms=['kat'])",
        "conjoin(left='Tired(kat)', right='Happy(kat)')",
        "negate(body='Tired(kat)')",
        "disjoin(left='Tired(kat) and Happy(kat)', right='not Tired(kat)')",
        "answer(value='(Tired(kat) and Happy(kat)) or not Tired(kat)')",
    ]


@given(formulas)
def test_building_calls_execute_to_the_formula(formula: Formula):
    for name in free_variables(formula):
        formula = ForAll(Variable(name), formula)
    try:
        calls = functions.building_calls(formula)
    except CallError as error:  # a predicate was drawn with two numbers of terms
        assume("stands with" not in error.message)
        raise
    tools = TOOLBOX.open()
    texts = [tools.execute(call).text for call in calls]  # a CallError has no text
    assert texts[-1] == texts[-2] == format_formula(formula)
    assert len({TOOLBOX.canonical(call) for call in calls}) == len(calls)


def test_building_calls_need_a_closed_formula():
    with pytest.raises(CallError, match="x is bound by no quantifier"):
        functions.building_calls(parse_formula("Dog(x)"))
