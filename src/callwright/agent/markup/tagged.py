"""Calls whose arguments stand between tags: `<function=add><parameter=a>2</parameter>...`, GLM's pairs, `<invoke ...>`.

Closing tags may be missing: a value then ends where the next tag begins. Anything else that stands between the tags is
a fault, because a part of a call is never ignored.
"""

import json
import re

from callwright.agent.markup.marks import CLOSING, OPENING
from callwright.agent.objects import read_object
from callwright.agent.syntax import EXAMPLE, bounded, storable, syntax_fault
from callwright.errors import CallError
from callwright.functions.guard import MAX_CALL_CHARACTERS
from callwright.records import Json

_DSML = r"(?:[|｜]DSML[|｜])?"
FUNCTION = re.compile(
    rf"""<function(?:=|\sname=)["']?(?P<function>[^<>"'\n]{{1,80}}?)["']?\s?>"""
    rf"""|<{_DSML}invoke\sname=["']?(?P<invoke>[^<>"'\n]{{1,80}}?)["']?\s?>"""
)
_PARAMETER = re.compile(
    rf"""<(?P<close>/?){_DSML}parameter(?:(?:=|\sname=)["']?(?P<name>[^<>"'\n]{{1,80}}?)["']?"""
    rf"""(?P<text>\sstring="(?:true|false)")?\s?)?>"""
)
_PAIR = re.compile(r"<(?P<close>/?)arg_(?P<kind>key|value)>")
_END = re.compile(rf"</(?:function|{_DSML}invoke)>")
_OF_ARGUMENTS = re.compile(rf"</(?:{_DSML}parameter|arg_key|arg_value)>")
_WHOLE = re.compile(r"-?[0-9]{1,2000}")


def read_parameters(text: str, position: int) -> tuple[dict[str, Json], int]:
    """The arguments that parameter tags from `position` on give, and the index after the function's closing tag.

    Raises:
        CallError: something else stands there, or a bound is exceeded.
    """
    end = _END.search(text, position, _next_opening(text, position))
    body = text[position : end.start() if end else _end_of_block(text, position)]
    _bound(body)
    arguments: dict[str, Json] = {}
    tags = list(_PARAMETER.finditer(body))
    if body[: tags[0].start() if tags else len(body)].strip():
        syntax_fault(_odd(body))
    for place, tag in enumerate(tags):
        inside = body[tag.end() : tags[place + 1].start() if place + 1 < len(tags) else len(body)]
        if tag["close"]:
            if inside.strip():
                syntax_fault(_odd(inside))
        else:
            _add(arguments, tag["name"], _text(inside) if "true" in (tag["text"] or "") else _value(inside))
    return arguments, end.end() if end else position + len(body)


def read_pairs(text: str, position: int) -> tuple[dict[str, Json], int]:
    """The arguments of GLM's pairs of `<arg_key>` and `<arg_value>` from `position` on, and the index after them.

    Raises:
        CallError: they are no pairs, something else stands there, or a bound is exceeded.
    """
    end = _end_of_block(text, position)
    body = text[position:end]
    _bound(body)
    arguments: dict[str, Json] = {}
    tags = list(_PAIR.finditer(body))
    key: str | None = None
    for place, tag in enumerate(tags):
        inside = body[tag.end() : tags[place + 1].start() if place + 1 < len(tags) else len(body)]
        if tag["close"]:
            if inside.strip():
                syntax_fault(_odd(inside))
        elif (tag["kind"] == "value") == (key is None):
            syntax_fault(f"a tag <arg_value> follows every <arg_key>; {EXAMPLE}")
        elif key is None:
            key = inside
        else:
            _add(arguments, key, _value(inside))
            key = None
    if key is not None or body[: tags[0].start()].strip():
        syntax_fault(f"a tag <arg_value> follows every <arg_key>; {EXAMPLE}")
    return arguments, end


def _next_opening(text: str, position: int) -> int:
    opening = OPENING.search(text, position)
    return opening.start() if opening else len(text)


def _end_of_block(text: str, position: int) -> int:
    """Where the next call begins or the block ends; the tags of arguments do not end it."""
    end = _next_opening(text, position)
    for closing in CLOSING.finditer(text, position, end):
        if not _OF_ARGUMENTS.fullmatch(closing[0]):
            return closing.start()
    return end


def _add(arguments: dict[str, Json], name: str | None, value: Json) -> None:
    if name is None:
        syntax_fault(f"a tag <parameter> names its parameter, like <parameter=a>; {EXAMPLE}")
    key = storable(name.strip())
    if key in arguments:
        syntax_fault(f"the argument {key[:40]} is given twice")
    arguments[key] = value
    bounded(list(arguments))


def _value(inside: str) -> Json:
    """A whole number, a list, a dict, a quoted text, true, false or null; anything else is text.

    So is a decimal: a function that takes a number reads its text exactly.
    """
    written = inside.strip()
    if written in ("true", "false", "null"):
        return json.loads(written)
    if written.startswith(("[", "{", '"')) or _WHOLE.fullmatch(written):
        try:
            return read_object(written)
        except CallError:
            return _text(inside)
    return _text(inside)


def _text(inside: str) -> str:
    """The text between two tags, without the line breaks that stand beside them."""
    return storable(inside.removeprefix("\n").removesuffix("\n"))


def _bound(body: str) -> None:
    if len(body) > 2 * MAX_CALL_CHARACTERS or len(_PARAMETER.sub("", body)) > MAX_CALL_CHARACTERS:
        syntax_fault(f"the call is longer than {MAX_CALL_CHARACTERS} characters")


def _odd(body: str) -> str:
    return f"the call's arguments could not be read: {body.strip()[:40]} stands between the tags; {EXAMPLE}"
