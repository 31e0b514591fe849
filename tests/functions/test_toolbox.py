from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.agent.parsing.parse import parse_call
from callwright.errors import CallError
from callwright.functions.function import Function, function, render_call, strict_function
from callwright.functions.numbers import Number
from callwright.functions.toolbox import MAX_RESULT_CHARACTERS, Observation, Toolbox
from callwright.records import Call
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.functions import add, answer
from tests.fakes import TOOLBOX, call

small = st.integers(-999, 999)


def test_executing_a_call_returns_the_value_and_the_text_for_the_model():
    assert TOOLBOX.open().execute(Call("divide", {"a": 7, "b": 2})) == Observation(7 / 2, "3.5")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("ad", "did you mean add?"), ("percent", "did you mean percent_of?"), ("sqrt", "the functions are add, subtract")],
)
def test_an_error_about_an_unknown_function_names_the_closest_function_or_all(name, hint):
    result = TOOLBOX.open().execute(Call(name, {"0": 1}))
    assert isinstance(result, CallError)
    assert result.fault == "unknown_function"
    assert result.message.startswith(f"there is no function {name}; {hint}")


def test_a_call_error_that_a_function_raises_is_returned():
    result = TOOLBOX.open().execute(Call("divide", {"a": 1, "b": 0}))
    assert isinstance(result, CallError)
    assert (result.fault, result.message) == ("execution_error", "cannot divide by zero")


def test_a_defect_is_raised_with_the_call_in_a_note():
    @function(example={"word": "a"})
    def broken(word: str) -> str:
        """Fails."""
        return word + 1  # type: ignore[operator]

    with pytest.raises(TypeError) as caught:
        Toolbox([broken, answer]).open().execute(Call("broken", {"0": "a"}))
    assert caught.value.__notes__ == ["in a function that a model called: broken('a')"]


@pytest.mark.parametrize("kind", [SystemExit, GeneratorExit])
def test_a_function_that_would_end_the_process_is_a_defect(kind: type[BaseException]):
    @function(example={})
    def leave() -> str:
        """Leave."""
        raise kind("now")

    with pytest.raises(RuntimeError, match=f"leave raised {kind.__name__}") as caught:
        Toolbox([leave, answer]).open().execute(Call("leave", {}))
    assert caught.value.__notes__ == ["in a function that a model called: leave()"]


def test_a_lone_surrogate_in_a_result_is_replaced_because_it_could_not_be_stored():
    @function(example={})
    def cut() -> str:
        """A text that was cut."""
        return "so \ud83d"

    assert Toolbox([cut, answer]).open().execute(Call("cut", {})) == Observation("so \ud83d", "so \ufffd")


@pytest.mark.parametrize("task", TASKS)
def test_the_functions_of_the_shipped_tasks_are_strict(task):
    functions = TASKS[task].toolbox.functions.values()
    assert {function.name: function.refusals for function in functions if function.refusals} == {}


def test_a_value_error_of_a_strict_function_is_a_defect():
    @strict_function(example={})
    def failing() -> str:
        """Fails."""
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        Toolbox([failing, answer]).open().execute(Call("failing", {}))


def test_a_function_can_declare_the_exceptions_that_are_refusals():
    @function(example={"word": "a"}, refusals=(KeyError,))
    def look_up(word: str) -> str:
        """What a word means."""
        return {"a": "one"}[word]

    result = Toolbox([look_up, answer]).open().execute(Call("look_up", {"0": "b"}))
    assert isinstance(result, CallError)
    assert (result.fault, result.message) == ("execution_error", "'b'")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("no such day\nin this month"), "no such day"),
        (ZeroDivisionError("division by zero"), "division by zero"),
        (OverflowError(), "OverflowError"),
        (ValueError("\x1b[2J"), "\\x1b[2J"),
        (CallError("execution_error", "not\ntoday"), "not\\ntoday"),
    ],
)
def test_by_default_value_errors_and_arithmetic_errors_are_refusals_of_one_line(error, message):
    @function(example={})
    def refusing() -> str:
        """Refuses."""
        raise error

    result = Toolbox([refusing, answer]).open().execute(Call("refusing", {}))
    assert isinstance(result, CallError)
    assert (result.fault, result.message) == ("execution_error", message)


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "True"),
        (None, "None"),
        ([1, "a", [Fraction(1, 3)]], "[1, 'a', [1/3]]"),
        ({"a": Decimal("1.50"), "b": (1, 2)}, "{'a': 1.5, 'b': [1, 2]}"),
        (Colour.RED, "'red'"),
        ({Colour.RED: 1}, "{'red': 1}"),
        ({3, 1}, "[1, 3]"),
        (2.5, "2.5"),
    ],
)
def test_a_result_is_rendered_as_a_literal_that_the_parser_can_read(value, text):
    observation = Toolbox([_returning(value), answer]).open().execute(Call("returning", {}))
    assert observation == Observation(value, text)
    parsed = parse_call(f"f({text})")
    assert isinstance(parsed, Call)
    assert render_call(parsed) == f"f({text})"


def test_a_text_is_rendered_without_quotes():
    assert Toolbox([_returning("it's"), answer]).open().execute(Call("returning", {})) == Observation("it's", "it's")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (float("inf"), "not a finite number"),
        ([float("nan")], "not a finite number"),
        (Decimal("NaN"), "not a finite number"),
        ([10**5_000], "too large"),  # more digits than Python converts to text
        ("x" * (MAX_RESULT_CHARACTERS + 1), "longer than 4000 characters"),
        ([0] * 2_000, "longer than 4000 characters"),
    ],
)
def test_a_result_that_is_too_large_or_not_finite_is_an_execution_error(value, problem):
    result = Toolbox([_returning(value), answer]).open().execute(Call("returning", {}))
    assert isinstance(result, CallError)
    assert result.fault == "execution_error"
    assert problem in result.message


def test_a_result_that_cannot_be_shown_to_a_model_is_a_defect():
    with pytest.raises(TypeError, match="returning returned a object, which cannot be shown to a model"):
        Toolbox([_returning([object()]), answer]).open().execute(Call("returning", {}))


def _returning(value: object) -> Function:
    @function(example={})
    def returning() -> object:
        """Whatever."""
        return value

    return returning


def test_naming_arguments_keeps_the_values_as_written():
    assert TOOLBOX.name_arguments(Call("add", {"0": "3.0", "b": 2})) == Call("add", {"a": "3.0", "b": 2})


@pytest.mark.parametrize(
    "text",
    ["add(2, 3)", "add(a=2, b=3)", "add(b=3, a=2)", "add(2, b=3)", "add(2.0, 3.00)", 'add("2", "$3")', "add(4/2, 6/2)"],
)
def test_all_ways_to_write_a_call_have_the_same_canonical_text(text):
    assert TOOLBOX.canonical(call(text)) == "add(a=2, b=3)"


def test_the_canonical_text_contains_defaults():
    assert TOOLBOX.canonical(call("round_to(7.5)")) == TOOLBOX.canonical(call("round_to(7.5, 0)"))


@pytest.mark.parametrize("other", ["add(3, 2)", "subtract(2, 3)", "add(2, 3.5)", "add(2)"])
def test_different_calls_have_different_canonical_texts(other):
    assert TOOLBOX.canonical(call(other)) != TOOLBOX.canonical(call("add(2, 3)"))


def test_the_canonical_text_of_a_call_that_does_not_bind_is_its_own_text():
    assert TOOLBOX.canonical(Call("add", {"0": 2})) == "add(2)"
    assert TOOLBOX.canonical(Call("sum", {"0": 2, "1": "3.0"})) == "sum(2, '3.0')"


@given(small, small, small, small)
def test_canonical_texts_are_equal_if_and_only_if_the_arguments_are(a, b, c, d):
    positional = TOOLBOX.canonical(Call("add", {"0": a, "1": b}))
    named = TOOLBOX.canonical(Call("add", {"b": float(d), "a": c}))
    assert (positional == named) == ((a, b) == (c, d))


def test_each_chain_has_its_own_state():
    @function(example={"word": "a"})
    def remember(state: list[str], word: str) -> str:
        """Keep a word; says all that were kept."""
        state.append(word)
        return " ".join(state)

    toolbox = Toolbox([remember, answer], new_state=list)
    first, second = toolbox.open(), toolbox.open()
    assert first.execute(Call("remember", {"word": "a"})) == Observation("a", "a")
    assert first.execute(Call("remember", {"word": "b"})) == Observation("a b", "a b")
    assert second.execute(Call("remember", {"word": "c"})) == Observation("c", "c")


@function(example={"items": [2], "to": "a"})
def gather(items: list[Number] | None, to: Colour | Literal["a", 1], more: dict[str, Any] | None = None) -> str:
    """Anything."""
    return ""


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("gather([2.0, '1/2', 3], 'a')", "gather(items=[2, 0.5, 3], to='a', more=None)"),
        ("gather(to='red', items=None)", "gather(items=None, to='red', more=None)"),
        ("gather([], 1, {'b': 1, 'a': [True, None]})", "gather(items=[], to=1, more={'a': [True, None], 'b': 1})"),
        ("gather([], 1, {'a': [True, None], 'b': 1})", "gather(items=[], to=1, more={'a': [True, None], 'b': 1})"),
    ],
)
def test_lists_dicts_none_enums_and_unions_have_a_canonical_text(text, canonical):
    toolbox = Toolbox([gather, answer])
    assert toolbox.canonical(call(text)) == canonical
    assert toolbox.canonical(call(canonical)) == canonical


def test_added_functions_are_placed_before_answer():
    toolbox = TOOLBOX.with_functions([gather])
    assert list(toolbox.functions) == [*[name for name in TOOLBOX.functions if name != "answer"], "gather", "answer"]
    assert "gather" not in TOOLBOX.functions


def test_two_functions_with_the_same_name_are_rejected():
    with pytest.raises(ValueError, match="there is a function named add already"):
        TOOLBOX.with_functions([add])


def test_a_function_with_a_state_needs_a_toolbox_with_new_state():
    @function(example={})
    def stateful(state: list[str]) -> str:
        """Uses the state."""
        return ""

    with pytest.raises(ValueError, match="stateful takes a state, but this toolbox has no new_state"):
        Toolbox([stateful, answer])


def test_a_toolbox_without_a_function_named_answer_is_rejected():
    with pytest.raises(ValueError, match="needs a function named answer"):
        Toolbox([add])


def test_there_is_one_schema_for_each_function_in_order():
    assert [schema["function"]["name"] for schema in TOOLBOX.schemas()] == list(TOOLBOX.functions)
