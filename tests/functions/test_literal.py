from enum import Enum
from fractions import Fraction

import pytest

from callwright.functions.literal import escape_unprintable, render_call, render_value
from callwright.records import Call
from tests.fakes import call


class Order(Enum):
    UP = "up"
    DOWN = "down"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"0": 2, "b": -3}, "f(2, b=-3)"),
        ({"a": "1/2"}, "f(a=1/2)"),  # a fraction has no quotes
        ({"a": Fraction(1, 2), "b": Fraction(1, 3)}, "f(a=0.5, b=1/3)"),
        ({"a": "1/2 cup"}, "f(a='1/2 cup')"),
        ({"a": [1, "2/3"], "b": {"k": True}, "c": None}, "f(a=[1, 2/3], b={'k': True}, c=None)"),
        ({}, "f()"),
    ],
)
def test_a_call_is_rendered_in_the_text_protocols_syntax(arguments, text):
    assert render_call(Call("f", arguments)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Order.UP, "'up'"),
        ((1, Fraction(1, 3)), "[1, 1/3]"),
        ({"b", "a"}, "['a', 'b']"),
        ({1: True, Order.UP: None}, "{'1': True, 'up': None}"),
        ({}, "{}"),
    ],
)
def test_other_values_are_rendered_as_literals_that_a_call_can_carry(value, text):
    assert render_value(value) == text


def test_control_characters_and_invisible_characters_are_escaped():
    assert escape_unprintable("café ∀x") == "café ∀x"
    assert escape_unprintable("\x1b[2J\r\n\u202e\ud800") == "\\x1b[2J\\r\\n\\u202e\\ud800"


@pytest.mark.parametrize("text", ["01/2", "٣/٤"])
def test_text_that_only_looks_like_a_fraction_is_quoted(text):
    assert call(render_call(Call("f", {"a": text}))) == Call("f", {"a": text})
