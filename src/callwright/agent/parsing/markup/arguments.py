"""Arguments of a call as markup writes them: between tags, and in Gemma's notation."""

import json
import re

from callwright.agent.parsing.json_call import read_json_value
from callwright.agent.parsing.markup.marks import CLOSING, OPENING
from callwright.agent.parsing.python_call import STRING_PATTERN
from callwright.agent.parsing.syntax_faults import (
    CALL_ADVICE,
    CALL_TOO_LONG_MESSAGE,
    check_item_count,
    require_valid_unicode,
    syntax_fault,
)
from callwright.errors import CallError
from callwright.functions.guard import MAX_CALL_CHARACTERS
from callwright.functions.literal import MAX_NAME_CHARACTERS
from callwright.records import Json

_QUOTE = re.compile(r'<\|"\|>|<escape>')
_TOKEN = re.compile(rf"(?P<quote>{_QUOTE.pattern})|{STRING_PATTERN}|(?P<open>[{{\[])|(?P<close>[}}\]])")
_KEY = re.compile(rf"{STRING_PATTERN}|(?P<key>[A-Za-z_][\w.-]*+)(?=\s*:)")


def read_gemma_arguments(text: str, start: int) -> tuple[Json, int]:
    """The arguments in the brackets that open at `start`, and the index after them.

    Raises:
        CallError: they could not be read, or a bound is exceeded.
    """
    end = _end_of_arguments(text, start)
    pieces = _QUOTE.split(text[start:end])
    json_pieces = [
        json.dumps(piece) if index % 2 else _KEY.sub(_quote_key, piece) for index, piece in enumerate(pieces)
    ]
    return read_json_value("".join(json_pieces)), end


def _end_of_arguments(text: str, start: int) -> int:
    level = 0
    quoted = False
    for token in _TOKEN.finditer(text, start, start + 2 * MAX_CALL_CHARACTERS):
        if token["quote"]:
            quoted = not quoted
        elif not quoted:
            level += bool(token["open"]) - bool(token["close"])
            if level == 0 and token["close"]:
                return token.end()
    raise syntax_fault(f"the closing bracket of the call's arguments is missing; {CALL_ADVICE}")


def _quote_key(match: re.Match[str]) -> str:
    return json.dumps(match["key"]) if match["key"] else match[0]


_DSML = r"(?:[|｜]DSML[|｜])?"
FUNCTION_TAG = re.compile(
    rf"""<function(?:=|\sname=)["']?(?P<function>[^<>"'\n]{{1,80}}?)["']?\s?>"""
    rf"""|<{_DSML}invoke\sname=["']?(?P<invoke>[^<>"'\n]{{1,80}}?)["']?\s?>"""
)
_PARAMETER = re.compile(
    rf"""<(?P<close>/?){_DSML}parameter(?:(?:=|\sname=)["']?(?P<name>[^<>"'\n]{{1,80}}?)["']?"""
    rf"""(?P<text>\sstring="(?:true|false)")?\s?)?>"""
)
_KEY_VALUE_TAG = re.compile(r"<(?P<close>/?)arg_(?P<kind>key|value)>")
_FUNCTION_END = re.compile(rf"</(?:function|{_DSML}invoke)>")
_ARGUMENT_END = re.compile(rf"</(?:{_DSML}parameter|arg_key|arg_value)>")
_INTEGER = re.compile(r"-?[0-9]{1,2000}")


def read_parameter_tags(text: str, position: int) -> tuple[dict[str, Json], int]:
    """The arguments in parameter tags from `position` on, and the index after the function's closing tag.

    Raises:
        CallError: there is other text, a tag without a name, a parameter given twice, or a bound is exceeded.
    """
    end = _FUNCTION_END.search(text, position, _next_opening(text, position))
    body = text[position : end.start() if end else _end_of_block(text, position)]
    _check_bounds(body)
    arguments: dict[str, Json] = {}
    tags = list(_PARAMETER.finditer(body))
    if body[: tags[0].start() if tags else len(body)].strip():
        raise syntax_fault(_stray_text_message(body))
    for index, tag in enumerate(tags):
        content = body[tag.end() : tags[index + 1].start() if index + 1 < len(tags) else len(body)]
        if tag["close"]:
            if content.strip():
                raise syntax_fault(_stray_text_message(content))
        else:
            _add_argument(
                arguments, tag["name"], _read_text(content) if "true" in (tag["text"] or "") else _read_value(content)
            )
    return arguments, end.end() if end else position + len(body)


def read_key_value_tags(text: str, position: int) -> tuple[dict[str, Json], int]:
    """The arguments in GLM's tags `<arg_key>` and `<arg_value>` from `position` on, and the index after them.

    Raises:
        CallError: a key or a value is missing, there is other text, a key is given twice, or a bound is exceeded.
    """
    end = _end_of_block(text, position)
    body = text[position:end]
    _check_bounds(body)
    arguments: dict[str, Json] = {}
    tags = list(_KEY_VALUE_TAG.finditer(body))
    key: str | None = None
    for index, tag in enumerate(tags):
        content = body[tag.end() : tags[index + 1].start() if index + 1 < len(tags) else len(body)]
        if tag["close"]:
            if content.strip():
                raise syntax_fault(_stray_text_message(content))
        elif (tag["kind"] == "value") == (key is None):
            raise syntax_fault(f"a tag <arg_value> follows every <arg_key>; {CALL_ADVICE}")
        elif key is None:
            key = content
        else:
            _add_argument(arguments, key, _read_value(content))
            key = None
    if key is not None or body[: tags[0].start()].strip():
        raise syntax_fault(f"a tag <arg_value> follows every <arg_key>; {CALL_ADVICE}")
    return arguments, end


def _next_opening(text: str, position: int) -> int:
    opening = OPENING.search(text, position)
    return opening.start() if opening else len(text)


def _end_of_block(text: str, position: int) -> int:
    """Where the next call begins or the block ends. Closing tags of arguments do not end a block."""
    end = _next_opening(text, position)
    for closing in CLOSING.finditer(text, position, end):
        if not _ARGUMENT_END.fullmatch(closing[0]):
            return closing.start()
    return end


def _add_argument(arguments: dict[str, Json], name: str | None, value: Json) -> None:
    if name is None:
        raise syntax_fault(f"a tag <parameter> names its parameter, like <parameter=a>; {CALL_ADVICE}")
    key = require_valid_unicode(name.strip())
    if key in arguments:
        raise syntax_fault(f"the argument {key[:MAX_NAME_CHARACTERS]} is given twice")
    arguments[key] = value
    check_item_count(list(arguments))


def _read_value(content: str) -> Json:
    """The value of an argument: an integer, a list, a dict, quoted text, true, false or null; anything else is text.

    Decimals stay text, because a function that takes a number reads the text exactly.
    """
    stripped = content.strip()
    if stripped in ("true", "false", "null"):
        return json.loads(stripped)
    if stripped.startswith(("[", "{", '"')) or _INTEGER.fullmatch(stripped):
        try:
            return read_json_value(stripped)
        except CallError:
            return _read_text(content)
    return _read_text(content)


def _read_text(content: str) -> str:
    """The text between two tags, without a line break next to each tag."""
    return require_valid_unicode(content.removeprefix("\n").removesuffix("\n"))


def _check_bounds(body: str) -> None:
    if len(body) > 2 * MAX_CALL_CHARACTERS or len(_PARAMETER.sub("", body)) > MAX_CALL_CHARACTERS:
        raise syntax_fault(CALL_TOO_LONG_MESSAGE)


def _stray_text_message(body: str) -> str:
    return f"the call's arguments could not be read: {body.strip()[:40]} stands between the tags; {CALL_ADVICE}"
