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


def test_executing_a_call_gives_the_value_and_the_text_the_model_is_shown():
    assert TOOLBOX.open().execute(Call("divide", {"a": 7, "b": 2})) == Observation(7 / 2, "3.5")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("ad", "did you mean add?"), ("percent", "did you mean percent_of?"), ("sqrt", "the functions are add, subtract")],
)
def test_an_unknown_function_is_answered_with_the_nearest_one_or_with_all(name, hint):
    result = TOOLBOX.open().execute(Call(name, {"0": 1}))
    assert isinstance(result, CallError)
    assert result.fault == "unknown_function"
    assert result.message.startswith(f"there is no function {name}; {hint}")


def test_a_functions_own_refusal_is_returned_and_not_raised():
    result = TOOLBOX.open().execute(Call("divide", {"a": 1, "b": 0}))
    assert isinstance(result, CallError)
    assert (result.fault, result.message) == ("execution_error", "cannot divide by zero")


def test_a_defect_is_raised_with_a_note_of_the_call_and_not_taken_for_the_models_mistake():
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


def test_half_a_character_in_a_result_is_replaced_as_it_could_not_be_stored():
    @function(example={})
    def cut() -> str:
        """A text that was cut."""
        return "so \ud83d"

    assert Toolbox([cut, answer]).open().execute(Call("cut", {})) == Observation("so \ud83d", "so \ufffd")


@pytest.mark.parametrize("task", TASKS)
def test_a_function_of_ours_refuses_by_call_error_only_so_that_its_other_errors_stay_defects(task):
    assert {name: own.refusals for name, own in TASKS[task].toolbox.functions.items() if own.refusals} == {}


def test_a_strict_function_refuses_by_call_error_only_wherever_it_is_defined():
    @strict_function(example={})
    def failing() -> str:
        """Fails."""
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        Toolbox([failing, answer]).open().execute(Call("failing", {}))


def test_a_function_may_name_the_exceptions_by_which_it_refuses():
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
def test_a_users_function_refuses_a_call_by_value_error_or_arithmetic_error_in_one_line(error, message):
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
def test_a_result_is_shown_in_literal_syntax_that_the_parser_reads_back(value, text):
    shown = Toolbox([_returning(value), answer]).open().execute(Call("returning", {}))
    assert shown == Observation(value, text)
    read = parse_call(f"f({text})")
    assert isinstance(read, Call)
    assert render_call(read) == f"f({text})"


def test_text_is_shown_as_it_is():
    assert Toolbox([_returning("it's"), answer]).open().execute(Call("returning", {})) == Observation("it's", "it's")


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (float("inf"), "not a finite number"),
        ([float("nan")], "not a finite number"),
        (Decimal("NaN"), "not a finite number"),
        ([10**5_000], "too large"),  # more digits than Python would write
        ("x" * (MAX_RESULT_CHARACTERS + 1), "longer than 4000 characters"),
        ([0] * 2_000, "longer than 4000 characters"),
    ],
)
def test_a_result_that_cannot_be_passed_on_is_an_execution_error(value, complaint):
    result = Toolbox([_returning(value), answer]).open().execute(Call("returning", {}))
    assert isinstance(result, CallError)
    assert result.fault == "execution_error"
    assert complaint in result.message


def test_a_result_that_no_model_can_be_shown_is_a_defect():
    with pytest.raises(TypeError, match="returning returned a object, which a model cannot be shown"):
        Toolbox([_returning([object()]), answer]).open().execute(Call("returning", {}))


def _returning(value: object) -> Function:
    @function(example={})
    def returning() -> object:
        """Whatever."""
        return value

    return returning


def test_arguments_get_their_names_and_keep_their_values_as_written():
    assert TOOLBOX.name_arguments(Call("add", {"0": "3.0", "b": 2})) == Call("add", {"a": "3.0", "b": 2})


@pytest.mark.parametrize(
    "written",
    ["add(2, 3)", "add(a=2, b=3)", "add(b=3, a=2)", "add(2, b=3)", "add(2.0, 3.00)", 'add("2", "$3")', "add(4/2, 6/2)"],
)
def test_every_way_of_writing_a_call_has_one_canonical_text(written):
    assert TOOLBOX.canonical(call(written)) == "add(a=2, b=3)"


def test_a_default_is_written_out_in_the_canonical_text():
    assert TOOLBOX.canonical(call("round_to(7.5)")) == TOOLBOX.canonical(call("round_to(7.5, 0)"))


@pytest.mark.parametrize("other", ["add(3, 2)", "subtract(2, 3)", "add(2, 3.5)", "add(2)"])
def test_different_calls_have_different_canonical_texts(other):
    assert TOOLBOX.canonical(call(other)) != TOOLBOX.canonical(call("add(2, 3)"))


def test_a_call_that_does_not_bind_keeps_the_text_it_was_written_as():
    assert TOOLBOX.canonical(Call("add", {"0": 2})) == "add(2)"
    assert TOOLBOX.canonical(Call("sum", {"0": 2, "1": "3.0"})) == "sum(2, '3.0')"


@given(small, small, small, small)
def test_two_calls_are_canonically_equal_when_their_arguments_are(a, b, c, d):
    same = TOOLBOX.canonical(Call("add", {"0": a, "1": b})) == TOOLBOX.canonical(Call("add", {"b": float(d), "a": c}))
    assert same == ((a, b) == (c, d))


def test_each_chain_has_its_own_state():
    @function(example={"word": "a"})
    def remember(state: list[str], word: str) -> str:
        """Keep a word; says all that were kept."""
        state.append(word)
        return " ".join(state)

    toolbox = Toolbox([remember, answer], new_state=list)
    one, other = toolbox.open(), toolbox.open()
    assert one.execute(Call("remember", {"word": "a"})) == Observation("a", "a")
    assert one.execute(Call("remember", {"word": "b"})) == Observation("a b", "a b")
    assert other.execute(Call("remember", {"word": "c"})) == Observation("c", "c")


@function(example={"items": [2], "to": "a"})
def gather(items: list[Number] | None, to: Colour | Literal["a", 1], more: dict[str, Any] | None = None) -> str:
    """Anything."""
    return ""


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("gather([2.0, '1/2', 3], 'a')", "gather(items=[2, 0.5, 3], to='a', more=None)"),
        ("gather(to='red', items=None)", "gather(items=None, to='red', more=None)"),
        ("gather([], 1, {'b': 1, 'a': [True, None]})", "gather(items=[], to=1, more={'a': [True, None], 'b': 1})"),
        ("gather([], 1, {'a': [True, None], 'b': 1})", "gather(items=[], to=1, more={'a': [True, None], 'b': 1})"),
    ],
)
def test_lists_dicts_none_enums_and_unions_have_a_canonical_text(written, canonical):
    toolbox = Toolbox([gather, answer])
    assert toolbox.canonical(call(written)) == canonical
    assert toolbox.canonical(call(canonical)) == canonical


def test_other_functions_join_before_answer():
    toolbox = TOOLBOX.with_functions([gather])
    assert list(toolbox.functions) == [*[name for name in TOOLBOX.functions if name != "answer"], "gather", "answer"]
    assert "gather" not in TOOLBOX.functions


def test_two_functions_of_one_name_are_refused():
    with pytest.raises(ValueError, match="there is a function named add already"):
        TOOLBOX.with_functions([add])


def test_a_function_with_state_needs_a_toolbox_that_makes_one():
    @function(example={})
    def stateful(state: list[str]) -> str:
        """Uses the state."""
        return ""

    with pytest.raises(ValueError, match="stateful takes a state, and this toolbox makes none"):
        Toolbox([stateful, answer])


def test_a_toolbox_without_an_answer_is_refused():
    with pytest.raises(ValueError, match="needs a function named answer"):
        Toolbox([add])


def test_there_is_one_schema_per_function_in_order():
    assert [schema["function"]["name"] for schema in TOOLBOX.schemas()] == list(TOOLBOX.functions)


def test_renamed_functions_keep_their_order_and_do_the_same():
    renamed = Toolbox([add, answer]).renamed({"add": "sum_of"})
    assert list(renamed.functions) == ["sum_of", "answer"]
    assert renamed.functions["sum_of"].usage() == "sum_of(a=17, b=25)"
    result = renamed.open().execute(Call("sum_of", {"a": 2, "b": 3}))
    assert isinstance(result, Observation)
    assert result.text == "5"
    unknown = renamed.open().execute(Call("add", {"a": 2, "b": 3}))
    assert isinstance(unknown, CallError)
    assert unknown.fault == "unknown_function"


def test_two_functions_cannot_get_one_name():
    with pytest.raises(ValueError, match="a function named answer already"):
        Toolbox([add, answer]).renamed({"add": "answer"})
