"""What in a reply looks like a call, and how it stands there."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from callwright.agent.objects import read_json
from callwright.agent.syntax import CURLY, EXAMPLE, STRING, read_python, syntax_fault
from callwright.errors import CallError
from callwright.functions.guard import MAX_CALL_CHARACTERS
from callwright.records import Call

_MAX_CANDIDATES = 256  # the last ones count
_START = re.compile(r"""(?<![\w.])[A-Za-z_][A-Za-z0-9_]*+(?>(?:\.[A-Za-z_][A-Za-z0-9_]*+)*)(\ ?)\(|\{(?=\s*["'“‘])""")
_TOKEN = re.compile(rf"""{STRING}|{CURLY}|(?P<open>[(\[{{])|(?P<close>[)\]}}])|(?P<quote>["'])""")
_NAMES_A_FUNCTION = re.compile(r"""["'“‘](?:\w+_)?(?:name|function|tool|action)["'”’]\s*:""")
LABEL = r"(?!lambda\b)[A-Za-z][\w ]{0,30}:(?=[\s`*]|$)"
_TAG = r"<[^<>\n]{1,40}>|\[/?[A-Z_]{1,40}\]"
LEAD = re.compile(
    rf"""(?>(?:\s|>>>|[>*•\-–—→]|["`'“‘]|\d{{1,3}}[.)](?=\s)|{_TAG}|{LABEL}|[A-Za-z_]\w*\s*=(?!=))*)(?P<bracket>[(\[]?)"""
)
_TRAIL = re.compile(rf"""(?P<bracket>[)\]]?)(?>(?:[\s`*"'”’.,;:!]|{_TAG})*)(?:(?:\#|//).*)?""")
_LITERAL = re.compile(r"""[\d"'=“‘]|\b(?:[Tt]rue|[Ff]alse|None|null)\b|^\s*$""")

Place = Literal["alone", "edge", "amid"]


@dataclass(frozen=True, slots=True)
class Found:
    """Where in a reply a call seems to stand: [start, end) of it, and how to read it."""

    start: int
    end: int
    place: Place
    read: Callable[[str], Call]
    spaced: bool = False  # `add (2, 3)`: in prose, a remark in brackets
    formula: bool = False  # `Dog(rex)`, or a remark: no literal in it


def candidates(text: str, start: int) -> tuple[list[Found], list[CallError]]:
    """What looks like a call, in order, and why others that began like one are none."""
    found: list[Found] = []
    broken: list[CallError] = []
    end = start
    for match in list(_START.finditer(text, start))[-_MAX_CANDIDATES:]:
        if match.start() < end:
            continue
        try:
            closing = _closing(text, match)
        except CallError as error:
            broken.append(error)
            continue
        try:
            one = _candidate(text, match, closing)
        except CallError as error:
            broken.append(error)
            end = closing
            continue
        if one is not None:
            found.append(one)
            end = max(closing, one.end)
    return found, broken


def _candidate(text: str, match: re.Match[str], end: int) -> Found | None:
    start = match.start()
    if text[start] == "{":
        if _NAMES_A_FUNCTION.search(text, start, end) is None or read_json(text[start:end]) is None:
            return None
        return Found(start, end, _place(text, start, end), _read_json)
    inside = text[match.end() : end - 1]
    if text.startswith("print(", start):
        inner = _START.match(text, match.end())
        if inner is None:
            return None if inside.isidentifier() else _python(text, match, end, inside)
        return _python(text, inner, _closing(text, inner), inside, _place(text, start, end))
    return _python(text, match, end, inside)


def _python(text: str, match: re.Match[str], end: int, inside: str, place: Place | None = None) -> Found:
    formula = _LITERAL.search(inside) is None
    place = place or _place(text, match.start(), end)
    return Found(match.start(), end, place, read_python, bool(match[1]), formula)


def _read_json(text: str) -> Call:
    call = read_json(text)
    assert call is not None
    return call


def _closing(text: str, match: re.Match[str]) -> int:
    """Where the bracket that a candidate opens is closed.

    Raises:
        CallError: it is not, or too late.
    """
    what = text[match.start() : match.end() - 1].strip()[:40] if text[match.start()] != "{" else "the JSON"
    level = 0
    limit = match.start() + MAX_CALL_CHARACTERS
    for token in _TOKEN.finditer(text, text.index("{" if what == "the JSON" else "(", match.start())):
        if token.end() > limit:
            syntax_fault(f"the call is longer than {MAX_CALL_CHARACTERS} characters")
        if token["quote"]:
            syntax_fault(f"a quote in the call of {what} is not closed; {EXAMPLE}")
        level += bool(token["open"]) - bool(token["close"])
        if level == 0 and token["close"]:
            return token.end()
    return syntax_fault(f"the closing bracket of {what} is missing; {EXAMPLE}")


def around(text: str, start: int, end: int) -> tuple[str, str]:
    """The line before and after [start, end)."""
    line_end = text.find("\n", end)
    return text[text.rfind("\n", 0, start) + 1 : start], text[end : line_end if line_end >= 0 else len(text)]


def _place(text: str, start: int, end: int) -> Place:
    before, after = around(text, start, end)
    lead, trail = LEAD.fullmatch(before), _TRAIL.fullmatch(after)
    if lead and trail and lead["bracket"] + trail["bracket"] in ("", "()", "[]"):
        return "alone"
    at_edge = (lead and not lead["bracket"]) or (trail and not trail["bracket"])
    quoted = before.endswith("`") and after.startswith("`")
    return "edge" if at_edge or quoted else "amid"
