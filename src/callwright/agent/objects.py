"""One call as JSON, as models trained on tool calls write it, also where text is asked for."""

import json
import re
from typing import NoReturn

from callwright.agent.syntax import (
    EXAMPLE,
    bounded,
    check_bounds,
    exact_float,
    literal,
    parse_expression,
    plain,
    storable,
    syntax_fault,
)
from callwright.functions.python_syntax import with_plain_escapes
from callwright.records import Call, Json

_CALL_NAME = re.compile(r"(?!__)[A-Za-z_]\w*(?:\.(?!__)[A-Za-z_]\w*)*", re.ASCII)
_NAME_KEYS = ("name", "function", "tool", "action", "function_name", "tool_name")
_WRAPPERS = ("function", "action", "function_call", "tool_call", "tool_calls")
_ARGUMENT_KEYS = ("arguments", "parameters", "args", "kwargs", "input", "action_input", "tool_input")


def read_json(text: str) -> Call | None:
    """The call that a JSON object is: `{"name": ..., "arguments": {...}}` and its common variants; None for others.

    Quotes may be single ones and values Python's, as models mix them.

    Raises:
        CallError: it is such an object, but not a call of plain values, or it exceeds a bound.
    """
    check_bounds(text)
    value = _unwrapped(read_object(text))
    names = [key for key in _NAME_KEYS if isinstance(value.get(key), str)]
    given = [key for key in _ARGUMENT_KEYS if key in value]
    if len(names) != 1 or len(given) != 1:
        return None
    name, arguments = value[names[0]], value[given[0]]
    if isinstance(arguments, str):  # the arguments as JSON text, as the OpenAI API has them
        arguments = read_object(arguments)
    if isinstance(arguments, list):
        arguments = {str(place): one for place, one in enumerate(arguments)}
    if not isinstance(arguments, dict):
        syntax_fault(f'the arguments of a call are a JSON object, like {{"a": 2, "b": 3}}; {EXAMPLE}')
    if not _CALL_NAME.fullmatch(name):
        syntax_fault(f"a call starts with a function's name; {EXAMPLE}")
    return Call(name, arguments)


def _unwrapped(value: Json) -> dict[str, Json]:
    """The object inside `{"type": "function", "function": {...}}` and `{"tool_calls": [{...}]}`; others as they are."""
    for key in _WRAPPERS:
        inner = value.get(key) if isinstance(value, dict) else None
        if isinstance(inner, list) and len(inner) > 1:
            syntax_fault(f"only one call in a reply; {EXAMPLE}")
        if isinstance(inner, list | dict) and inner:
            return _unwrapped(inner[0] if isinstance(inner, list) else inner)
    return value if isinstance(value, dict) else {}


def read_object(text: str) -> Json:
    """A JSON value, or the literal in Python's syntax that it nearly is.

    Raises:
        CallError: it is neither, or exceeds a bound.
    """
    check_bounds(text)
    try:
        value = json.loads(text, parse_float=exact_float, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        text = with_plain_escapes(plain(text))
        node = parse_expression(text)
        if node is None:
            syntax_fault(f"the JSON of the call could not be read; {EXAMPLE}")
        return literal(node, text)
    return _checked(value)


def _refuse_constant(name: str) -> NoReturn:
    syntax_fault(f"{name} is not a number that can be calculated with")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) < len(pairs):
        syntax_fault("the JSON of the call names something twice")
    return value


def _checked(value: Json) -> Json:
    match value:
        case str():
            return storable(value)
        case list():
            return bounded([_checked(item) for item in value])
        case dict():
            bounded(list(value))
            return {storable(key): _checked(item) for key, item in value.items()}
        case _:
            return value
