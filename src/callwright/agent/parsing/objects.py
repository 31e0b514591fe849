"""One call as JSON, as models trained on tool calls write it, also where text is asked for."""

import json
import re
from typing import NoReturn

from callwright.agent.parsing.syntax import (
    CALL_ADVICE,
    CURLY_STRING_PATTERN,
    STRING_PATTERN,
    check_bounds,
    check_item_count,
    exact_float,
    literal,
    parse_expression,
    plain,
    raise_syntax_fault,
    storable,
)
from callwright.errors import CallError
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_DEPTH
from callwright.functions.python_syntax import double_invalid_escapes
from callwright.records import Call, Json

_TOKEN = re.compile(
    rf"""{STRING_PATTERN}|{CURLY_STRING_PATTERN}|(?P<open>[(\[{{])|(?P<close>[)\]}}])|(?P<quote>["'])"""
)


def end_of_brackets(text: str, start: int, call_start: int | None = None) -> int:
    """The index after the bracket that closes the one at `start`.

    Args:
        begin: where the call begins, its name included; by default at the bracket.

    Raises:
        CallError: it is not closed, or lies more than MAX_CALL_CHARACTERS after `begin` or MAX_DEPTH deep.
    """
    call_start = start if call_start is None else call_start
    limit = call_start + MAX_CALL_CHARACTERS
    subject = text[call_start:start].strip()[:40] or "the JSON"
    level = 0
    for token in _TOKEN.finditer(text, start, limit + 1):  # a quote that the limit cuts looks unclosed
        if token.end() > limit:
            raise_syntax_fault(f"the call is longer than {MAX_CALL_CHARACTERS} characters")
        if token["quote"]:
            if len(text) > limit and "\n" not in text[token.end() : limit]:
                raise_syntax_fault(
                    f"the call is longer than {MAX_CALL_CHARACTERS} characters, or a quote in it is not closed"
                )
            raise_syntax_fault(f"a quote in the call of {subject} is not closed; {CALL_ADVICE}")
        level += bool(token["open"]) - bool(token["close"])
        if level > MAX_DEPTH:
            raise_syntax_fault(f"brackets are nested deeper than {MAX_DEPTH}")
        if level == 0 and token["close"]:
            return token.end()
    if len(text) > limit:
        raise_syntax_fault(
            f"the call is longer than {MAX_CALL_CHARACTERS} characters, or a bracket of {subject} is not closed"
        )
    return raise_syntax_fault(f"the closing bracket of {subject} is missing; {CALL_ADVICE}")


# A dotted name, perhaps with the ending that Kimi's or harmony's markup left on it: Toolbox.name_arguments cuts it.
CALL_NAME = re.compile(r"(?!__)[A-Za-z_]\w*+(?>(?:\.(?!__)[A-Za-z_]\w*+)*)(?::[0-9]{1,4})?(?:<\|.{0,40})?", re.ASCII)
_NAME_KEYS = ("name", "function", "tool", "action", "function_name", "tool_name")
_WRAPPER_KEYS = ("function", "action", "function_call", "tool_call", "tool_calls")
_ARGUMENT_KEYS = ("arguments", "parameters", "args", "kwargs", "input", "action_input", "tool_input")
_KEYS_WITHOUT_ARGUMENTS = frozenset({"name", "id", "type", "index"})
_SHAPE_MESSAGE = f"a call is a JSON object with a name and arguments; {CALL_ADVICE}"
_ARGUMENTS_MESSAGE = 'the arguments of a call are a JSON object, like {"a": 2, "b": 3}'


def read_json_calls(text: str) -> list[Call | CallError]:
    """The calls that a JSON object is: `{"name": ..., "arguments": {...}}` and its common variants; none for others.

    Quotes may be single ones and values Python's, as models mix them.

    Raises:
        CallError: it cannot be read, or exceeds a bound.
    """
    calls = [_call_or_error(value) for value in _unwrap(read_json_value(text))]
    return [] if None in calls else [value for value in calls if value is not None]


def calls_in_json(value: Json) -> list[Call | CallError]:
    """The calls that a JSON value holds: one object, a list of them, or objects that wrap them.

    It stands where a call is expected, so that `{"name": "now"}` is one, without arguments.

    Raises:
        CallError: it holds none.
    """
    calls = [_call_or_error(item) or _call_without_arguments(item) for item in _unwrap(value)]
    return calls or raise_syntax_fault(_SHAPE_MESSAGE)


def _call_without_arguments(value: Json) -> Call | CallError:
    """The call of an object that has a name and nothing that could be an argument."""
    if isinstance(value, dict) and "name" in value and not set(value) - _KEYS_WITHOUT_ARGUMENTS:
        return _call_or_error({"name": value["name"], "arguments": {}}) or CallError("syntax", _SHAPE_MESSAGE)
    return CallError("syntax", _SHAPE_MESSAGE)


def read_arguments(value: Json) -> dict[str, Json]:
    """Arguments by name or place; those encoded as JSON text, as the OpenAI API has them, are decoded; null is none.

    Raises:
        CallError: they are no object and no list.
    """
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        value = read_json_value(value)
    if value is None:
        return {}
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    if not isinstance(value, dict):
        raise_syntax_fault(f"{_ARGUMENTS_MESSAGE}; {CALL_ADVICE}")
    return value


def _call_or_error(value: Json) -> Call | CallError | None:
    try:
        return _call(value)
    except CallError as error:
        return error


def _call(value: Json) -> Call | None:
    if not isinstance(value, dict):
        return None
    names = [key for key in _NAME_KEYS if isinstance(value.get(key), str)]
    argument_keys = [key for key in _ARGUMENT_KEYS if key in value]
    if len(names) != 1 or len(argument_keys) != 1:
        return None
    arguments = read_arguments(value[argument_keys[0]])
    if not CALL_NAME.fullmatch(value[names[0]]):
        raise_syntax_fault(f"a call starts with a function's name; {CALL_ADVICE}")
    return Call(value[names[0]], arguments)


def _unwrap(value: Json) -> list[Json]:
    """The objects in `{"type": "function", "function": {...}}`, `{"tool_calls": [{...}]}` and lists; others alone."""
    if isinstance(value, list):
        return [inner for item in value for inner in _unwrap(item)]
    for key in _WRAPPER_KEYS:
        inner = value.get(key) if isinstance(value, dict) else None
        if isinstance(inner, list | dict) and inner:
            return _unwrap(inner)
    return [value]


def read_json_value(text: str) -> Json:
    """A JSON value, or the literal in Python's syntax that it nearly is.

    Raises:
        CallError: it is neither, or exceeds a bound.
    """
    check_bounds(text)
    try:
        value = json.loads(
            text, parse_float=exact_float, parse_constant=_refuse_constant, object_pairs_hook=_object_without_duplicates
        )
    except (ValueError, RecursionError):
        text = double_invalid_escapes(plain(text))
        node = parse_expression(text)
        if node is None:
            raise_syntax_fault(f"the JSON of the call could not be read; {CALL_ADVICE}")
        return literal(node, text)
    return _check_values(value)


def _refuse_constant(name: str) -> NoReturn:
    raise_syntax_fault(f"{name} is not a number that can be calculated with")


def _object_without_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise_syntax_fault("the JSON of the call names something twice")
    return value


def _check_values(value: Json) -> Json:
    match value:
        case str():
            return storable(value)
        case list():
            return check_item_count([_check_values(item) for item in value])
        case dict():
            check_item_count(list(value))
            return {storable(key): _check_values(item) for key, item in value.items()}
        case _:
            return value
