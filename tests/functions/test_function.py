from enum import Enum
from fractions import Fraction
from typing import Annotated, Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import Field

from callwright.errors import CallError
from callwright.functions.function import Function, function
from callwright.functions.numbers import Number, WholeNumber
from callwright.functions.toolbox import Toolbox
from callwright.records import Call
from callwright.tasks.arithmetic.functions import add, round_to
from tests.fakes import TOOLBOX


class Order(Enum):
    """Which way to sort."""

    UP = "up"
    DOWN = "down"


@function(example={"prices": {"fig": 2, "pear": 1.5}, "bought": [["fig", 3]], "order": "up"})
def bill(
    prices: dict[str, Number],
    bought: list[tuple[str, WholeNumber]],
    order: Order = Order.DOWN,
    tip: Number | None = None,
    unit: Literal["euro", "dollar", 1] = "euro",
    notes: Optional[list[str]] = None,  # noqa: UP045
    rounded: bool = False,
    schema: int | str = 0,
) -> list[Any]:
    """What a purchase costs."""
    return [prices, bought, order, tip, unit, notes, rounded, schema]


BILL_EXAMPLE = bill.example_call()
NUMBER = {"anyOf": [{"type": "number"}, {"type": "string"}], "description": 'a number; fractions as "p/q"'}


def test_the_schema_comes_from_the_signature_and_the_docstring():
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


def test_the_schema_of_nested_and_optional_types_has_no_titles_and_no_references():
    parameters = bill.schema()["function"]["parameters"]
    pair = {"type": "array", "minItems": 2, "maxItems": 2, "prefixItems": [{"type": "string"}, {"type": "integer"}]}
    assert parameters == {
        "type": "object",
        "properties": {
            "prices": {"type": "object", "additionalProperties": NUMBER},
            "bought": {"type": "array", "items": pair},
            "order": {"type": "string", "enum": ["up", "down"], "default": "down"},
            "tip": {"anyOf": [NUMBER, {"type": "null"}], "default": None},
            "unit": {"enum": ["euro", "dollar", 1], "default": "euro"},
            "notes": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}], "default": None},
            "rounded": {"type": "boolean", "default": False},
            "schema": {"anyOf": [{"type": "integer"}, {"type": "string"}], "default": 0},
        },
        "required": ["prices", "bought"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize("tested", [bill, *TOOLBOX.functions.values()], ids=lambda tested: tested.name)
def test_a_schema_is_valid_json_schema_and_accepts_the_example(tested: Function):
    parameters = tested.schema()["function"]["parameters"]
    Draft202012Validator.check_schema(parameters)
    Draft202012Validator(parameters).validate(tested.example)


def test_a_function_without_parameters_has_an_empty_schema():
    parameters = function({}, name="nothing")(_documented).schema()["function"]["parameters"]
    assert parameters == {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def test_a_schema_can_be_changed_without_changing_the_function():
    add.schema()["function"]["parameters"]["properties"].clear()
    assert list(add.schema()["function"]["parameters"]["properties"]) == ["a", "b"]


def test_the_signature_has_the_types_that_an_example_does_not_show():
    assert bill.signature() == (
        "bill(prices: dict of number, bought: list of list, order: 'up' or 'down' = 'down', "
        "tip: number or None = None, unit: 'euro' or 'dollar' or 1 = 'euro', "
        "notes: list of text or None = None, rounded: True or False = False, "
        "schema: integer or text = 0)"
    )


def test_a_type_in_the_signature_comes_from_the_annotation_and_not_from_a_description():
    @function(example={"prices": [1], "code": ["a"]})
    def described(
        prices: list[Annotated[Number, Field(description="euros")]],
        code: Annotated[list[str] | str, Field(description="a number of letters")],
    ) -> str:
        """Whatever."""
        return ""

    assert described.signature() == "described(prices: list of number, code: list of text or text)"
    assert described.schema()["function"]["parameters"]["properties"]["prices"]["items"] == NUMBER


def test_arguments_are_coerced_to_the_types_of_the_parameters():
    bound = bill.bind({"prices": {"fig": "1/2"}, "bought": [["fig", "2.0"]], "order": "up", "tip": "10%"})
    assert bound == {
        "prices": {"fig": Fraction(1, 2)},
        "bought": [("fig", 2)],
        "order": Order.UP,
        "tip": Fraction(1, 10),
        "unit": "euro",
        "notes": None,
        "rounded": False,
        "schema": 0,
    }


def test_a_default_is_coerced_like_an_argument():
    @function(example={})
    def scaled(by: Number = 2) -> Number:
        """A scale."""
        return by

    assert isinstance(scaled.bind({})["by"], Fraction)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"bought": []}, "bill needs prices"),
        ({"prices": {}}, "bill needs bought"),
        ({"prices": [], "bought": []}, "bill cannot take this prices: Input should be a valid dictionary"),
        ({"prices": {"fig": "many"}, "bought": []}, "bill cannot take this prices['fig']: 'many' is not a number"),
        (
            {"prices": {}, "bought": [["fig", 1], ["fig", 1.5]]},
            "bill cannot take this bought[1][1]: 1.5 is not a whole number",
        ),
        ({"prices": {}, "bought": [], "order": "left"}, "bill cannot take this order: Input should be 'up' or 'down'"),
        (
            {"prices": {}, "bought": [], "unit": "pound"},
            "bill cannot take this unit: Input should be 'euro', 'dollar' or 1",
        ),
        ({"prices": {}, "bought": [], "tip": []}, "bill cannot take this tip: a list is not a number"),
        (
            {"prices": {}, "bought": [], "schema": []},
            "bill cannot take this schema: Input should be a valid integer; or Input should be a valid string",
        ),
        (
            {"prices": {}, "bought": [], "notes": [None]},
            "bill cannot take this notes[0]: Input should be a valid string",
        ),
        ({"prices": {}, "bought": [], "\x1b[2J": 1}, "bill has no parameter \\x1b[2J"),
        (dict.fromkeys("0123456789", 1), "bill takes 8 arguments"),
    ],
)
def test_an_error_in_a_nested_argument_names_the_parameter_and_the_position(arguments, problem):
    named = bill.name_arguments(Call("bill", arguments))
    result = named if isinstance(named, CallError) else bill.bind(named)
    assert isinstance(result, CallError)
    assert result.message == f"{problem}; call it like {BILL_EXAMPLE}"


def test_a_parameter_with_a_default_is_optional_in_schema_and_signature():
    parameters = round_to.schema()["function"]["parameters"]
    assert parameters["required"] == ["number"]
    assert parameters["properties"]["decimals"] == {"type": "integer", "default": 0}
    assert round_to.signature() == "round_to(number, decimals=0)"


def test_the_example_is_rendered_as_a_call():
    assert add.example_call() == "add(a=17, b=25)"


def test_a_function_is_still_callable_as_python():
    assert add(Fraction(2), b=Fraction(3)) == 5


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("add(2)", "add needs b"),
        ("add()", "add needs a"),
        ("add(1, 2, 3)", "add takes 2 arguments"),
        ("add(2, a=3)", "add got a twice"),
        ("add(a=2, b=3, c=4)", "add has no parameter c"),
        ('add("five", 3)', "add cannot take this a: 'five' is not a number"),
        ("add(True, 3)", "add cannot take this a: True is not a number"),
        ("add(None, 3)", "add cannot take this a: None is not a number"),
        ("add([1], 3)", "add cannot take this a: a list is not a number"),
        ("add(1/0, 3)", "add cannot take this a: '1/0' divides by zero"),
    ],
)
def test_an_error_is_one_line_that_names_the_problem_and_shows_a_correct_call(text, problem):
    result = Toolbox([add, function({}, name="answer")(_documented)]).open().execute(parse_without_checks(text))
    assert isinstance(result, CallError)
    assert result.fault == "bad_arguments"
    assert result.message == f"{problem}; call it like add(a=17, b=25)"


def test_a_whole_number_may_be_a_decimal_or_text_but_must_be_whole():
    assert round_to.bind({"number": 1, "decimals": 2.0})["decimals"] == 2
    assert round_to.bind({"number": 1, "decimals": "2"})["decimals"] == 2
    assert "1.5 is not a whole number" in round_to.bind({"number": 1, "decimals": 1.5}).message


def test_a_long_value_is_shortened_in_an_error_message():
    assert len(add.bind({"a": "x" * 1_000, "b": 1}).message) < 250


def test_the_state_of_a_chain_is_not_part_of_the_signature():
    @function(example={"fact": "rain"}, name="logic.assume")
    def assume(state: list[str], fact: str) -> str:
        """Take a fact for granted."""
        return fact

    assert assume.stateful
    assert assume.signature() == "logic.assume(fact)"
    assert assume.example_call() == "logic.assume(fact='rain')"


@pytest.mark.parametrize("example", [{}, {"a": "many"}, {"a": 1, "b": 2}])
def test_an_example_that_does_not_fit_is_rejected(example):
    def same(a: Number) -> Number:
        """The number itself."""
        return a

    with pytest.raises(TypeError, match="same: the example does not fit"):
        function(example=example)(same)


def _documented() -> str:
    """Nothing to say."""
    return ""


def parse_without_checks(text: str) -> Call:
    from callwright.agent.parsing.parse import parse_call

    parsed = parse_call(text)
    assert isinstance(parsed, Call)
    return parsed


@pytest.mark.parametrize("key", ["²", "٣", "３", "①", "00", "01", "-1", "1.0", "9" * 5_000])
def test_a_key_that_is_not_a_plain_decimal_number_is_a_parameter_name(key):
    bound = bill.bind(bill.name_arguments(Call("bill", {key: 1})))
    assert isinstance(bound, CallError)
    assert bound.fault == "bad_arguments"
    assert bound.message.isprintable()


@given(st.dictionaries(st.text(max_size=3) | st.sampled_from(["0", "1", "²", "99"]), st.integers(), max_size=4))
def test_naming_arguments_never_raises(arguments):
    named = bill.name_arguments(Call("bill", arguments))
    assert isinstance(named, CallError | dict)
