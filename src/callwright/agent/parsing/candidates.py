"""Find text in a reply that looks like a call, and what surrounds it on its line."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from callwright.agent.parsing.json_call import end_of_brackets, read_json_calls
from callwright.agent.parsing.python_call import read_python
from callwright.errors import CallError
from callwright.records import Call

_MAX_CANDIDATES = 100  # only the last ones are read; each takes time in proportion to the longest call allowed
_MAX_MARK_CHARACTERS = 1_000  # on the line before or after a candidate, which is matched for each candidate
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

Placement = Literal["own_line", "line_edge", "mid_line"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Text at [start, end) of a reply that looks like a call.

    Attributes:
        placement: alone on its line apart from marks; at the line's beginning or end, or in backticks; or else within
            other text.
        read: parses the candidate's text; a JSON object may hold several calls.
        space_before_bracket: `add (2, 3)`, which in prose may be a word and a remark.
        without_literal: there is no literal in the arguments: `Dog(rex)` may be a formula, and `(both kinds)` a remark.
    """

    start: int
    end: int
    placement: Placement
    read: Callable[[str], list[Call | CallError]]
    space_before_bracket: bool = False
    without_literal: bool = False

    @property
    def is_json(self) -> bool:
        return self.read is read_json_calls


def find_candidates(text: str, start: int) -> tuple[list[Candidate], list[CallError]]:
    """The candidates from `start` on, in order, and the errors of those that could not be read."""
    candidates: list[Candidate] = []
    errors: list[CallError] = []
    end = start
    for match in list(_CANDIDATE_START.finditer(text, start))[-_MAX_CANDIDATES:]:
        if match.start() < end:
            continue
        try:
            closing = _end_of_candidate(text, match)
        except CallError as error:
            errors.append(error)
            continue
        try:
            candidate = _candidate_at(text, match, closing)
        except CallError as error:
            errors.append(error)
            end = closing
            continue
        if candidate is not None:
            candidates.append(candidate)
            end = max(closing, candidate.end)
    return candidates, errors


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
    without_literal = _LITERAL.search(inside) is None
    placement = placement or _placement(text, match.start(), end)
    return Candidate(match.start(), end, placement, read_python_call, bool(match[1]), without_literal)


def read_python_call(text: str) -> list[Call | CallError]:
    """`read_python` with the signature of `Candidate.read`: a list of one call.

    Raises:
        CallError: the text is not one call whose arguments are literals, or it exceeds a bound.
    """
    return [read_python(text)]


def _end_of_candidate(text: str, match: re.Match[str]) -> int:
    """The index after the bracket that closes the candidate's bracket.

    Raises:
        CallError: the bracket is not closed within the limit.
    """
    bracket = match.start() if text[match.start()] == "{" else match.end() - 1
    return end_of_brackets(text, bracket, match.start())


def line_context(text: str, start: int, end: int) -> tuple[str, str]:
    """The text on the same line before `start`, and the text on the same line from `end` on."""
    line_end = text.find("\n", end)
    return text[text.rfind("\n", 0, start) + 1 : start], text[end : line_end if line_end >= 0 else len(text)]


def _placement(text: str, start: int, end: int) -> Placement:
    before, after = line_context(text, start, end)
    lead, trail = match_marks_before(before), match_marks_after(after)
    if are_matching_marks(lead, trail):
        return "own_line"
    at_edge = (lead and not lead["bracket"]) or (trail and not trail["bracket"])
    in_backticks = before.endswith("`") and after.startswith("`")
    return "line_edge" if at_edge or in_backticks else "mid_line"


def match_marks_before(before: str) -> re.Match[str] | None:
    """Match the marks before a call on its line; None if there is other text."""
    return _LEAD.fullmatch(before) if len(before) <= _MAX_MARK_CHARACTERS else None


def match_marks_after(after: str) -> re.Match[str] | None:
    """Match the marks and the comment after a call on its line; None if there is other text."""
    return _TRAIL.fullmatch(after) if len(after) <= _MAX_MARK_CHARACTERS else None


def are_matching_marks(lead: re.Match[str] | None, trail: re.Match[str] | None) -> bool:
    """Whether there are only marks before and after a call, with no bracket or a pair of brackets around it."""
    return lead is not None and trail is not None and lead["bracket"] + trail["bracket"] in ("", "()", "[]")
