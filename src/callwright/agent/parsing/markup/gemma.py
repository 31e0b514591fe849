"""Read arguments in Gemma's notation, `{a:2,b:<|"|>text<|"|>}`: keys without quotes, text between marks."""

import json
import re

from callwright.agent.parsing.json_call import read_json_value
from callwright.agent.parsing.python_call import STRING_PATTERN
from callwright.agent.parsing.syntax_faults import CALL_ADVICE, syntax_fault
from callwright.functions.guard import MAX_CALL_CHARACTERS
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
