"""Read one call in markup, in any notation: JSON, tags, a name and then its arguments, or Python."""

import re

from callwright.agent.parsing.json_call import (
    CALL_NAME,
    calls_in_json,
    end_of_brackets,
    read_arguments,
    read_json_value,
)
from callwright.agent.parsing.markup.arguments import (
    FUNCTION_TAG,
    read_gemma_arguments,
    read_key_value_tags,
    read_parameter_tags,
)
from callwright.agent.parsing.markup.marks import BEFORE_ARGUMENTS, CLOSING, end_of_match
from callwright.agent.parsing.python_call import CALCULATION_AFTER, read_python
from callwright.agent.parsing.syntax_faults import CALL_ADVICE, COMPUTED_MESSAGE, syntax_fault
from callwright.errors import CallError
from callwright.functions.literal import MAX_NAME_CHARACTERS
from callwright.records import Call, Json

_CALL_START = re.compile(r"(?P<gemma>call:)?(?P<name>[A-Za-z_][\w.]*+(?::[0-9]{1,4})?)[ ]?", re.ASCII)
_END_OF_FUNCTION = re.compile(r"\s*</(?:function|invoke)>")
_CONTINUES = re.compile(r"""\s*+[,;:{\["'0-9]""")  # not a remark after the call

CallsAndEnd = tuple[list[Call | CallError], int]


class NoCallError(CallError):
    """No call begins after a mark, so the model may only mention the mark."""


def read_calls_at(text: str, start: int) -> CallsAndEnd:
    """The calls that begin at `start`, and the index after them. A JSON object or list may hold several.

    Raises:
        NoCallError: no call begins there.
        CallError: a call begins there and could not be read.
    """
    if text.startswith("{", start):
        return _read_json_calls(text, start)
    if tag := FUNCTION_TAG.match(text, start):
        return _read_tagged_call(text, tag)
    name_match = _CALL_START.match(text, start)
    if name_match is None:
        raise NoCallError("syntax", f"no call follows the mark that begins one; {CALL_ADVICE}")
    if text.startswith("(", name_match.end()):
        return _read_python_call(text, start, name_match.end())
    name = name_match["name"]
    position = end_of_match(BEFORE_ARGUMENTS, text, name_match.end())
    if text.startswith("{", position):
        arguments, end = _read_braced_arguments(text, position, gemma=name_match["gemma"] is not None)
        return [_make_call(name, arguments)], end
    if text.startswith("<arg_key>", position):
        arguments, end = read_key_value_tags(text, position)
        return [_make_call(name, arguments)], end
    if CLOSING.match(text, position):
        return [_make_call(name, {})], position
    raise NoCallError("syntax", f"the arguments of {name[:MAX_NAME_CHARACTERS]} could not be read; {CALL_ADVICE}")


def call_continues(text: str, position: int) -> bool:
    """Whether the text after a value seems to belong to the call: another value, a bracket, or a separator."""
    return _CONTINUES.match(text, position) is not None


def _read_json_calls(text: str, start: int) -> CallsAndEnd:
    end = end_of_brackets(text, start)
    return calls_in_json(read_json_value(text[start:end])), end


def _read_tagged_call(text: str, tag: re.Match[str]) -> CallsAndEnd:
    name = (tag["function"] or tag["invoke"]).strip()
    position = end_of_match(BEFORE_ARGUMENTS, text, tag.end())
    if text.startswith("{", position):
        arguments, end = _read_braced_arguments(text, position)
        closing = _END_OF_FUNCTION.match(text, end)
        return [_make_call(name, arguments)], closing.end() if closing else end
    arguments, end = read_parameter_tags(text, tag.end())
    return [_make_call(name, arguments)], end


def _read_python_call(text: str, start: int, opening: int) -> CallsAndEnd:
    end = end_of_brackets(text, opening, start)
    if CALCULATION_AFTER.match(text, end):
        raise syntax_fault(COMPUTED_MESSAGE)
    return [read_python(text[start:end])], end


def _read_braced_arguments(text: str, position: int, gemma: bool = False) -> tuple[Json, int]:
    if gemma:
        return read_gemma_arguments(text, position)
    end = end_of_brackets(text, position)
    return read_json_value(text[position:end]), end


def _make_call(name: str, arguments: Json) -> Call:
    if not CALL_NAME.fullmatch(name):
        shown = name[:MAX_NAME_CHARACTERS]
        raise syntax_fault(f"a call starts with a function's name, not with {shown}; {CALL_ADVICE}")
    return Call(name, read_arguments(arguments))
