"""Python functions that a model could not call are rejected when they are decorated."""

from fractions import Fraction
from typing import Any

import pytest

from callwright.functions.function import function
from callwright.functions.numbers import Number
from callwright.functions.toolbox import Toolbox
from callwright.records import Call


def test_a_function_without_a_docstring_is_rejected():
    def silent(a: Number) -> Number:
        return a

    with pytest.raises(TypeError, match="silent needs a docstring"):
        function(example={"a": 1})(silent)


def test_a_parameter_without_an_annotation_is_rejected():
    def loose(a, b: Number) -> Number:
        """Anything goes."""
        return b

    with pytest.raises(TypeError, match="loose: parameter a needs a type annotation"):
        function(example={"a": 1, "b": 2})(loose)


async def coroutine(a: Number) -> Number:
    """Later."""
    return a


def generator(a: Number) -> Any:
    """Bit by bit."""
    yield a


def any_number(*numbers: Number) -> Number:
    """All of them."""
    return sum(numbers)


def any_name(**numbers: Number) -> Number:
    """All of them."""
    return sum(numbers.values())


def positional_only(a: Number, /) -> Number:
    """Only by position."""
    return a


def private(_a: Number) -> Number:
    """Hidden."""
    return _a


def late_state(a: Number, state: list) -> Number:
    """State in the wrong position."""
    return a


def takes_a_class(a: Fraction | Toolbox) -> Number:
    """A type that no call carries."""
    return a


def undefined(a: "Missing") -> Number:  # noqa: F821
    """A type that does not exist."""
    return a


def bad_default(a: Number = "many") -> Number:
    """A default that does not fit."""
    return a


class NotAFunction:
    """A class."""


@pytest.mark.parametrize(
    ("python", "name", "message"),
    [
        (coroutine, None, "coroutine is async; a model calls plain functions"),
        (generator, None, "generator is a generator; return a list"),
        (any_number, None, r"any_number: a model cannot give \*numbers; name each parameter"),
        (any_name, None, r"any_name: a model cannot give \*\*numbers; name each parameter"),
        (positional_only, None, "positional_only: parameter a is positional only; remove the /"),
        (private, None, "private: parameter _a has a reserved name"),
        (late_state, None, "late_state: state must be the first parameter"),
        (takes_a_class, None, "takes_a_class: a parameter's type cannot be read from a call"),
        (undefined, None, "undefined: an annotation cannot be resolved"),
        (bad_default, None, "bad_default: the example does not fit"),
        (NotAFunction, None, "NotAFunction: @function needs a plain Python function, not a type"),
        (len, None, "len: @function needs a plain Python function"),
        (lambda a: a, None, "<lambda> cannot be a function's name"),
        (positional_only, "add two", "add two cannot be a function's name"),
        (positional_only, "__add__", "__add__ cannot be a function's name"),
        (positional_only, "a.__add__", "a.__add__ cannot be a function's name"),
        (positional_only, "función", "función cannot be a function's name"),
        (positional_only, "x" * 65, "cannot be a function's name"),
        (positional_only, "and", "and is a reserved word of Python"),
        (positional_only, "logic.not", "logic.not is a reserved word of Python"),
    ],
)
def test_what_a_model_could_not_call_is_rejected_with_one_line(python, name, message):
    with pytest.raises(TypeError, match=message) as caught:
        function(example={}, name=name)(python)
    assert "\n" not in str(caught.value)


def test_a_parameter_that_takes_a_class_is_rejected():
    def pay(how: Call) -> str:
        """Pay."""
        return ""

    with pytest.raises(TypeError, match="pay: parameter how is a class, which a call cannot carry"):
        function(example={"how": {"name": "a", "arguments": {}}})(pay)
