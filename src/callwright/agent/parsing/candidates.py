"""What in a reply looks like a call, and how it stands there."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from callwright.agent.parsing.objects import end_of_brackets, read_json_calls
from callwright.agent.parsing.syntax import read_python
from callwright.errors import CallError
from callwright.records import Call

_MAX_CANDIDATES = 100  # the last ones are read; each costs at most one call's maximum length
_MAX_MARK_CHARACTERS = 1_000  # characters; each candidate reads its line again
_CANDIDATE_START = re.compile(
    r"""(?<![\w.])[A-Za-z_][A-Za-z0-9_]*+(?>(?:\.[A-Za-z_][A-Za-z0-9_]*+)*)(\ ?)\(|\{(?=\s*["'“‘])"""
)
_NAMES_A_FUNCTION = re.compile(r"""["'“‘](?:[a-z]{1,20}_)?(?:name|function|tool|action)["'”’]\s*:""")
LABEL_PATTERN = r"(?!lambda\b)[A-Za-z][\w ]{0,30}:(?=[\s`*]|$)"
_TAG = r"<[^<>\n]{1,40}>|\[/?[A-Z_]{1,40}\]"
_LEAD = re.compile(
    rf"""(?>(?:\s|>>>|[>*•\-–—→]|["`'“‘]|\d{{1,3}}[.)](?=\s)|{_TAG}|{LABEL_PATTERN}|[A-Za-z_]\w*\s*=(?!=))*)(?P<bracket>[(\[]?)"""
)
_TRAIL = re.compile(rf"""(?P<bracket>[)\]]?)(?>(?:[\s`*"'”’.,;:!]|{_TAG})*)(?:(?:\#|//).*)?""")
_LITERAL = re.compile(r"""[\d"'=“‘]|\b(?:[Tt]rue|[Ff]alse|None|null)\b|^\s*$""")

Placement = Literal["alone", "edge", "amid"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Where in a reply a call seems to stand: [start, end) of it, and how to read it."""

    start: int
    end: int
    placement: Placement
    read: Callable[[str], list[Call | CallError]]
    space_before_bracket: bool = False  # `add (2, 3)`: in prose, a remark in brackets
    formula: bool = False  # `Dog(rex)`, or a remark: no literal in it

    @property
    def is_json(self) -> bool:
        return self.read is read_json_calls


def candidates(text: str, start: int) -> tuple[list[Candidate], list[CallError]]:
    """What looks like a call, in order, and why others that began like one are none."""
    found: list[Candidate] = []
    broken: list[CallError] = []
    end = start
    for match in list(_CANDIDATE_START.finditer(text, start))[-_MAX_CANDIDATES:]:
        if match.start() < end:
            continue
        try:
            closing = _end_of_candidate(text, match)
        except CallError as error:
            broken.append(error)
            continue
        try:
            one = _candidate_at(text, match, closing)
        except CallError as error:
            broken.append(error)
            end = closing
            continue
        if one is not None:
            found.append(one)
            end = max(closing, one.end)
    return found, broken


def _candidate_at(text: str, match: re.Match[str], end: int) -> Candidate | None:
    start = match.start()
    if text[start] == "{":
        calls = read_json_calls(text[start:end]) if _NAMES_A_FUNCTION.search(text, start, end) else []
        if len(calls) == 1 and isinstance(calls[0], CallError):
            raise calls[0]
        return Candidate(start, end, _placement(text, start, end), read_json_calls) if calls else None
    inside = text[match.end() : end - 1]
    if text.startswith("print(", start):
        inner = _CANDIDATE_START.match(text, match.end())
        if inner is None:
            return None if inside.isidentifier() else _python_candidate(text, match, end, inside)
        return _python_candidate(text, inner, _end_of_candidate(text, inner), inside, _placement(text, start, end))
    return _python_candidate(text, match, end, inside)


def _python_candidate(
    text: str, match: re.Match[str], end: int, inside: str, placement: Placement | None = None
) -> Candidate:
    formula = _LITERAL.search(inside) is None
    placement = placement or _placement(text, match.start(), end)
    return Candidate(match.start(), end, placement, read_python_call, bool(match[1]), formula)


def read_python_call(text: str) -> list[Call | CallError]:
    """The call in Python syntax that a text is.

    Raises:
        CallError: it is not one call of literals, or exceeds a bound.
    """
    return [read_python(text)]


def _end_of_candidate(text: str, match: re.Match[str]) -> int:
    """Where the bracket that a candidate opens is closed.

    Raises:
        CallError: it is not, or too late.
    """
    bracket = match.start() if text[match.start()] == "{" else match.end() - 1
    return end_of_brackets(text, bracket, match.start())


def line_context(text: str, start: int, end: int) -> tuple[str, str]:
    """The line before and after [start, end)."""
    line_end = text.find("\n", end)
    return text[text.rfind("\n", 0, start) + 1 : start], text[end : line_end if line_end >= 0 else len(text)]


def _placement(text: str, start: int, end: int) -> Placement:
    before, after = line_context(text, start, end)
    prefix, suffix = match_marks_before(before), match_marks_after(after)
    if prefix and suffix and prefix["bracket"] + suffix["bracket"] in ("", "()", "[]"):
        return "alone"
    at_edge = (prefix and not prefix["bracket"]) or (suffix and not suffix["bracket"])
    quoted = before.endswith("`") and after.startswith("`")
    return "edge" if at_edge or quoted else "amid"


def match_marks_before(before: str) -> re.Match[str] | None:
    """The marks before a call on its line, if there is nothing else before it."""
    return _LEAD.fullmatch(before) if len(before) <= _MAX_MARK_CHARACTERS else None


def match_marks_after(after: str) -> re.Match[str] | None:
    """The marks and the comment after a call on its line, if there is nothing else after it."""
    return _TRAIL.fullmatch(after) if len(after) <= _MAX_MARK_CHARACTERS else None
