"""Parse a call in JSON. Models that are trained on tool calls write JSON even if they are asked for Python syntax."""

import json
import re
from typing import NoReturn

from callwright.agent.parsing.python_call import (
    CURLY_STRING_PATTERN,
    STRING_PATTERN,
    literal_value,
    normalize_typography,
    parse_expression,
)
from callwright.agent.parsing.syntax_faults import (
    CALL_ADVICE,
    CALL_TOO_LONG_MESSAGE,
    TOO_DEEP_MESSAGE,
    check_bounds,
    check_item_count,
    exact_float,
    require_valid_unicode,
    syntax_fault,
)
from callwright.errors import CallError
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_DEPTH
from callwright.functions.literal import MAX_NAME_CHARACTERS
from callwright.functions.python_syntax import double_invalid_escapes
from callwright.records import Call, Json

_TOKEN = re.compile(
    rf"""{STRING_PATTERN}|{CURLY_STRING_PATTERN}|(?P<open>[(\[{{])|(?P<close>[)\]}}])|(?P<quote>["'])"""
)


def end_of_brackets(text: str, opening: int, call_start: int | None = None) -> int:
    """The index after the bracket that closes the bracket at `opening`.

    Args:
        call_start: where the call begins, with its name; by default at the bracket.

    Raises:
        CallError: a bracket or a quote is not closed, the call has more than MAX_CALL_CHARACTERS characters from
            `call_start` on, or brackets are nested deeper than MAX_DEPTH.
    """
    call_start = opening if call_start is None else call_start
    limit = call_start + MAX_CALL_CHARACTERS
    subject = text[call_start:opening].strip()[:MAX_NAME_CHARACTERS] or "the JSON"
    level = 0
    for token in _TOKEN.finditer(text, opening, limit + 1):  # a string that the limit cuts looks like an unclosed quote
        if token.end() > limit:
            raise syntax_fault(CALL_TOO_LONG_MESSAGE)
        if token["quote"]:
            if len(text) > limit and "\n" not in text[token.end() : limit]:
                raise syntax_fault(f"{CALL_TOO_LONG_MESSAGE}, or a quote in it is not closed")
            raise syntax_fault(f"a quote in the call of {subject} is not closed; {CALL_ADVICE}")
        level += bool(token["open"]) - bool(token["close"])
        if level > MAX_DEPTH:
            raise syntax_fault(TOO_DEEP_MESSAGE)
        if level == 0 and token["close"]:
            return token.end()
    if len(text) > limit:
        raise syntax_fault(f"{CALL_TOO_LONG_MESSAGE}, or a bracket of {subject} is not closed")
    raise syntax_fault(f"the closing bracket of {subject} is missing; {CALL_ADVICE}")


# A dotted name, perhaps with an ending from Kimi's or harmony's markup, which Toolbox.name_arguments removes.
CALL_NAME = re.compile(r"(?!__)[A-Za-z_]\w*+(?>(?:\.(?!__)[A-Za-z_]\w*+)*)(?::[0-9]{1,4})?(?:<\|.{0,40})?", re.ASCII)
_NAME_KEYS = ("name", "function", "tool", "action", "function_name", "tool_name")
_WRAPPER_KEYS = ("function", "action", "function_call", "tool_call", "tool_calls")
_ARGUMENT_KEYS = ("arguments", "parameters", "args", "kwargs", "input", "action_input", "tool_input")
_KEYS_WITHOUT_ARGUMENTS = frozenset({"name", "id", "type", "index"})
_SHAPE_MESSAGE = f"a call is a JSON object with a name and arguments; {CALL_ADVICE}"
_ARGUMENTS_MESSAGE = 'the arguments of a call are a JSON object, like {"a": 2, "b": 3}'


def read_json_calls(text: str) -> list[Call | CallError]:
    """Parse `{"name": ..., "arguments": {...}}` or a common variant of it; empty if the object is not a call.

    Models mix JSON and Python, so strings may be in single quotes, and values may be Python literals.

    Raises:
        CallError: the object cannot be read, or exceeds a bound.
    """
    calls = [_call_or_error(value) for value in _unwrap(read_json_value(text))]
    return [] if None in calls else [call for call in calls if call is not None]


def calls_in_json(value: Json) -> list[Call | CallError]:
    """The calls that a JSON value holds: one object, a list of objects, or objects that wrap them.

    For use where the markup announces a call: there, `{"name": "now"}` is a call without arguments.

    Raises:
        CallError: it holds no call.
    """
    calls = [_call_or_error(item) or _call_without_arguments(item) for item in _unwrap(value)]
    if not calls:
        raise syntax_fault(_SHAPE_MESSAGE)
    return calls


def _call_without_arguments(value: Json) -> Call | CallError:
    """The call of an object that has a name, and no key that could be an argument."""
    if isinstance(value, dict) and "name" in value and not set(value) - _KEYS_WITHOUT_ARGUMENTS:
        return _call_or_error({"name": value["name"], "arguments": {}}) or CallError("syntax", _SHAPE_MESSAGE)
    return CallError("syntax", _SHAPE_MESSAGE)


def read_arguments(value: Json) -> dict[str, Json]:
    """The arguments by name or position.

    Arguments encoded as JSON text, as in the OpenAI API, are decoded; null means no arguments.

    Raises:
        CallError: they are neither an object nor a list.
    """
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        value = read_json_value(value)
    if value is None:
        return {}
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    if not isinstance(value, dict):
        raise syntax_fault(f"{_ARGUMENTS_MESSAGE}; {CALL_ADVICE}")
    return value


def _call_or_error(value: Json) -> Call | CallError | None:
    try:
        return _call(value)
    except CallError as error:
        return error


def _call(value: Json) -> Call | None:
    if not isinstance(value, dict):
        return None
    name_keys = [key for key in _NAME_KEYS if isinstance(value.get(key), str)]
    argument_keys = [key for key in _ARGUMENT_KEYS if key in value]
    if len(name_keys) != 1 or len(argument_keys) != 1:
        return None
    arguments = read_arguments(value[argument_keys[0]])
    name = value[name_keys[0]]
    if not CALL_NAME.fullmatch(name):
        raise syntax_fault(f"a call starts with a function's name; {CALL_ADVICE}")
    return Call(name, arguments)


def _unwrap(value: Json) -> list[Json]:
    """The objects in `{"type": "function", "function": {...}}`, `{"tool_calls": [{...}]}` or a list; else the value."""
    if isinstance(value, list):
        return [inner for item in value for inner in _unwrap(item)]
    for key in _WRAPPER_KEYS:
        inner = value.get(key) if isinstance(value, dict) else None
        if isinstance(inner, list | dict) and inner:
            return _unwrap(inner)
    return [value]


def read_json_value(text: str) -> Json:
    """Parse a JSON value, or a Python literal that resembles JSON.

    Raises:
        CallError: it is neither, or exceeds a bound.
    """
    check_bounds(text)
    try:
        value = json.loads(
            text, parse_float=exact_float, parse_constant=_reject_constant, object_pairs_hook=_object_without_duplicates
        )
    except (ValueError, RecursionError):
        text = double_invalid_escapes(normalize_typography(text))
        node = parse_expression(text)
        if node is None:
            raise syntax_fault(f"the JSON of the call could not be read; {CALL_ADVICE}") from None
        return literal_value(node, text)
    return _check_values(value)


def _reject_constant(name: str) -> NoReturn:
    raise syntax_fault(f"{name} is not a number that can be calculated with")


def _object_without_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise syntax_fault("the JSON of the call names something twice")
    return value


def _check_values(value: Json) -> Json:
    match value:
        case str():
            return require_valid_unicode(value)
        case list():
            return check_item_count([_check_values(item) for item in value])
        case dict():
            check_item_count(list(value))
            return {require_valid_unicode(key): _check_values(item) for key, item in value.items()}
        case _:
            return value
