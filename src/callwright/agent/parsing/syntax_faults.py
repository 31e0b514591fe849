"""Syntax faults: the lines that the model reads about an unreadable call, and the limits that apply in any notation."""

import json
from decimal import Decimal
from typing import Any

from callwright.errors import CallError
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_DEPTH, MAX_ITEMS
from callwright.functions.literal import escape_unprintable
from callwright.functions.toolbox import ANSWER, Toolbox

EXAMPLE_CALL = "add(a=2, b=3)"
EXAMPLE_ARGUMENTS = '{"a": 2, "b": 3}'
"""A parser does not know the toolbox; `with_toolbox_example` puts a call of the toolbox in place of these two."""

CALL_ADVICE = f"write one call on the last line, like {EXAMPLE_CALL}"
ARGUMENTS_ADVICE = f"JSON object, like {EXAMPLE_ARGUMENTS}"
NO_CALL_MESSAGE = f"no function call was found; {CALL_ADVICE}"
MANY_CALLS_MESSAGE = f"only one call in a reply; {CALL_ADVICE}"
COMPUTED_MESSAGE = f"a call stands alone, with nothing calculated around it; {CALL_ADVICE}"
CALL_TOO_LONG_MESSAGE = f"the call is longer than {MAX_CALL_CHARACTERS} characters"
TOO_DEEP_MESSAGE = f"brackets are nested deeper than {MAX_DEPTH}"


def syntax_fault(message: str) -> CallError:
    """An error with the fault `syntax` and the message as one printable line, to be raised."""
    return CallError("syntax", escape_unprintable(message))


def check_bounds(text: str) -> None:
    """Check the length and the nesting of a call before it is parsed.

    Raises:
        CallError: it has more than MAX_CALL_CHARACTERS characters, or more than MAX_DEPTH levels of brackets.
    """
    if len(text) > MAX_CALL_CHARACTERS:
        raise syntax_fault(CALL_TOO_LONG_MESSAGE)
    if nesting_depth(text) > MAX_DEPTH:
        raise syntax_fault(TOO_DEEP_MESSAGE)


def nesting_depth(text: str) -> int:
    """How deep brackets are nested; brackets in quoted text count.

    If there are at most MAX_DEPTH opening brackets, their number is returned, which is an upper bound and quick.
    """
    opening = text.count("(") + text.count("[") + text.count("{")
    if opening <= MAX_DEPTH:
        return opening
    level = deepest = 0
    for character in text:
        if character in "([{":
            level += 1
            deepest = max(deepest, level)
        elif character in ")]}":
            level -= 1
    return deepest


def check_item_count(items: list[Any]) -> list[Any]:
    """Return the items of a list or dict.

    Raises:
        CallError: there are more than MAX_ITEMS.
    """
    if len(items) > MAX_ITEMS:
        raise syntax_fault(f"a list or dict of more than {MAX_ITEMS} items")
    return items


def require_valid_unicode(string: str) -> str:
    """Return the string.

    Raises:
        CallError: it has a lone surrogate, which UTF-8 cannot encode, so it can be neither stored nor sent.
    """
    if string.isascii():
        return string
    try:
        string.encode()
    except UnicodeEncodeError:
        raise syntax_fault("a text holds half a character (a lone surrogate)") from None
    return string


def exact_float(number_text: str) -> float:
    """Return the number as a float.

    Raises:
        CallError: no float is exactly this number.
    """
    value = float(number_text)
    try:
        exact = Decimal(number_text.replace("_", "")) == Decimal(repr(value))
    except ArithmeticError:
        exact = False
    if not exact:  # a float would silently be another number
        raise syntax_fault(f"the number {number_text[:30]} has too many digits; write a fraction p/q")
    return value


def with_toolbox_example(error: CallError, toolbox: Toolbox) -> CallError:
    """The error of an unreadable call, with an example of the toolbox's first function instead of the parser's own."""
    function = next((function for name, function in toolbox.functions.items() if name != ANSWER), None)
    function = function or toolbox.functions[ANSWER]
    message = error.message
    if message.endswith(f"like {EXAMPLE_CALL}"):
        message = message.removesuffix(EXAMPLE_CALL) + function.example_call()
    if ARGUMENTS_ADVICE in message:
        arguments = json.dumps(function.example, ensure_ascii=False)
        advice = ARGUMENTS_ADVICE.replace(EXAMPLE_ARGUMENTS, arguments)
        message = message.replace(ARGUMENTS_ADVICE, advice, 1)
    return CallError(error.fault, message)
