import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.errors import CallError
from callwright.functions.arithmetic import add, answer
from callwright.functions.function import function
from callwright.functions.toolbox import Observation, Toolbox
from callwright.records import Call
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


def test_a_defect_of_ours_is_raised_and_not_taken_for_the_models_mistake():
    @function(example={})
    def broken() -> str:
        """Fails."""
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Toolbox([broken, answer]).open().execute(Call("broken", {}))


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


def test_a_toolbox_without_an_answer_is_refused():
    with pytest.raises(ValueError, match="needs a function named answer"):
        Toolbox([add])


def test_there_is_one_schema_per_function_in_order():
    assert [schema["function"]["name"] for schema in TOOLBOX.schemas()] == list(TOOLBOX.functions)
