"""Gemma's own notation of arguments: `{a:2,b:<|"|>text<|"|>}`, keys without quotes and text between marks."""

import json
import re

from callwright.agent.objects import read_object
from callwright.agent.syntax import EXAMPLE, STRING, syntax_fault
from callwright.functions.guard import MAX_CALL_CHARACTERS
from callwright.records import Json

_QUOTE = re.compile(r'<\|"\|>|<escape>')
_TOKEN = re.compile(rf"(?P<quote>{_QUOTE.pattern})|{STRING}|(?P<open>[{{\[])|(?P<close>[}}\]])")
_KEY = re.compile(rf"{STRING}|(?P<key>[A-Za-z_][\w.-]*+)(?=\s*:)")


def read_gemma_arguments(text: str, start: int) -> tuple[Json, int]:
    """The arguments that the bracket at `start` opens, and the index after the bracket that closes it.

    Raises:
        CallError: they could not be read, or a bound is exceeded.
    """
    end = _end(text, start)
    pieces = _QUOTE.split(text[start:end])
    written = [json.dumps(piece) if place % 2 else _KEY.sub(_quoted, piece) for place, piece in enumerate(pieces)]
    return read_object("".join(written)), end


def _end(text: str, start: int) -> int:
    level = 0
    quoted = False
    for token in _TOKEN.finditer(text, start, start + 2 * MAX_CALL_CHARACTERS):
        if token["quote"]:
            quoted = not quoted
        elif not quoted:
            level += bool(token["open"]) - bool(token["close"])
            if level == 0 and token["close"]:
                return token.end()
    return syntax_fault(f"the closing bracket of the call's arguments is missing; {EXAMPLE}")


def _quoted(match: re.Match[str]) -> str:
    return json.dumps(match["key"]) if match["key"] else match[0]
