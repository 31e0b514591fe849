from fractions import Fraction

import pytest

from callwright.errors import CallError
from callwright.functions.arithmetic import add, round_to
from callwright.functions.function import function, render_call
from callwright.functions.numbers import Number
from callwright.functions.toolbox import Toolbox
from callwright.records import Call
from tests.fakes import call

NUMBER = {"anyOf": [{"type": "number"}, {"type": "string"}], "description": 'a number; fractions as "p/q"'}


def test_the_schema_is_made_of_the_signature_and_the_docstring():
    assert add.schema() == {
        "type": "function",
        "function": {
            "name": "add",
            "description": "The sum of two numbers.",
            "parameters": {
                "type": "object",
                "properties": {"a": NUMBER, "b": NUMBER},
                "required": ["a", "b"],
                "additionalProperties": False,
            },
        },
    }


def test_a_parameter_with_a_default_is_optional_in_schema_and_signature():
    parameters = round_to.schema()["function"]["parameters"]
    assert parameters["required"] == ["number"]
    assert parameters["properties"]["decimals"] == {"type": "integer", "default": 0}
    assert round_to.signature() == "round_to(number, decimals=0)"


def test_the_usage_is_the_example_as_a_call():
    assert add.usage() == "add(a=17, b=25)"


def test_a_function_is_still_callable_as_python():
    assert add(Fraction(2), b=Fraction(3)) == 5


@pytest.mark.parametrize(
    ("misuse", "complaint"),
    [
        ("add(2)", "add needs b"),
        ("add()", "add needs a"),
        ("add(1, 2, 3)", "add takes 2 arguments"),
        ("add(2, a=3)", "add got a twice"),
        ("add(a=2, b=3, c=4)", "add has no parameter c"),
        ('add("five", 3)', "add cannot take this a: 'five' is not a number"),
        ("add(True, 3)", "add cannot take this a: True is not a number"),
        ("add(None, 3)", "add cannot take this a: None is not a number"),
        ("add([1], 3)", "add cannot take this a: [1] is not a number"),
        ("add(1/0, 3)", "add cannot take this a: '1/0' divides by zero"),
    ],
)
def test_misuse_is_one_line_that_says_what_was_wrong_and_how_the_call_should_look(misuse, complaint):
    result = Toolbox([add, function({}, name="answer")(_documented)]).open().execute(call_as_written(misuse))
    assert isinstance(result, CallError)
    assert result.fault == "bad_arguments"
    assert result.message == f"{complaint}; call it like add(a=17, b=25)"


def test_a_whole_number_may_be_written_as_decimal_or_text_but_has_to_be_whole():
    assert round_to.bind({"number": 1, "decimals": 2.0})["decimals"] == 2
    assert round_to.bind({"number": 1, "decimals": "2"})["decimals"] == 2
    assert "1.5 is not a whole number" in round_to.bind({"number": 1, "decimals": 1.5}).message


def test_a_long_value_does_not_make_a_long_complaint():
    assert len(add.bind({"a": "x" * 1_000, "b": 1}).message) < 250


def test_the_state_of_a_chain_is_not_part_of_the_signature():
    @function(example={"fact": "rain"}, name="logic.assume")
    def assume(state: list[str], fact: str) -> str:
        """Take a fact for granted."""
        return fact

    assert assume.stateful
    assert assume.signature() == "logic.assume(fact)"
    assert assume.usage() == "logic.assume(fact='rain')"


def test_a_function_without_a_docstring_is_refused():
    def silent(a: Number) -> Number:
        return a

    with pytest.raises(TypeError, match="silent needs a docstring"):
        function(example={"a": 1})(silent)


def test_a_function_with_an_unannotated_parameter_is_refused():
    def loose(a, b: Number) -> Number:
        """Anything goes."""
        return b

    with pytest.raises(TypeError, match="loose: parameter a needs a type annotation"):
        function(example={"a": 1, "b": 2})(loose)


@pytest.mark.parametrize("example", [{}, {"a": "many"}, {"a": 1, "b": 2}])
def test_an_example_that_does_not_fit_is_refused(example):
    def same(a: Number) -> Number:
        """The number itself."""
        return a

    with pytest.raises(TypeError, match="same: the example does not fit"):
        function(example=example)(same)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"0": 2, "b": -3}, "f(2, b=-3)"),
        ({"a": "1/2"}, "f(a=1/2)"),  # a fraction stands without quotes
        ({"a": Fraction(1, 2), "b": Fraction(1, 3)}, "f(a=0.5, b=1/3)"),
        ({"a": "1/2 cup"}, "f(a='1/2 cup')"),
        ({"a": [1, "2/3"], "b": {"k": True}, "c": None}, "f(a=[1, 2/3], b={'k': True}, c=None)"),
        ({}, "f()"),
    ],
)
def test_a_call_is_rendered_in_the_text_protocols_syntax(arguments, text):
    assert render_call(Call("f", arguments)) == text


@pytest.mark.parametrize("text", ["01/2", "٣/٤"])
def test_text_that_only_looks_like_a_fraction_is_quoted(text):
    assert call(render_call(Call("f", {"a": text}))) == Call("f", {"a": text})


def _documented() -> str:
    """Nothing to say."""
    return ""


def call_as_written(text: str) -> Call:
    from callwright.agent.parse import parse_call

    parsed = parse_call(text)
    assert isinstance(parsed, Call)
    return parsed
