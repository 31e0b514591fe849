"""Read the calls in a native reply's text, which may hold several, as some servers pass calls on as text.

Several calls without markup count only if there is nothing but calls from the first to the last: a list, lines, or a
code block. With prose between them it is unclear which are meant. Calls that a sentence before or after mentions do not
count.
"""

import re

from callwright.agent.parsing.candidates import (
    Candidate,
    candidates,
    line_context,
    match_marks_after,
    match_marks_before,
)
from callwright.agent.parsing.markup.read import read_markup
from callwright.agent.parsing.markup.units import NoCallError
from callwright.agent.parsing.parse import has_call_after, read_one_call, skip_reasoning, thought_before
from callwright.agent.parsing.syntax import MANY_CALLS_MESSAGE
from callwright.errors import CallError
from callwright.records import Call

ThoughtsAndCalls = list[tuple[str, Call | CallError]]

_SEPARATOR = re.compile(r"[\s,;]*")
_FENCE_LINE = re.compile(r"\s*+(?:```[\w-]*+\s*+)?")


def read_calls(text: str) -> ThoughtsAndCalls:
    """The calls of a text in order, each with the text before it; or the whole text and its error."""
    try:
        start = skip_reasoning(text)
    except CallError as error:
        return [(text.strip(), error)]
    readings = read_markup(text, start)
    in_markup = [reading for reading in readings if not isinstance(reading.call, NoCallError)]
    if in_markup:
        thought = thought_before(text, in_markup[0].start)
        calls_read: ThoughtsAndCalls = []
        for reading in in_markup:
            unread = "" if isinstance(reading.call, Call) else text[reading.start : reading.end].strip()
            calls_read.append((_join_lines("" if calls_read else thought, unread), reading.call))
        if has_call_after(text, in_markup[-1].end):
            calls_read.append((text[in_markup[-1].end :].strip(), CallError("syntax", MANY_CALLS_MESSAGE)))
        return calls_read
    row = _only_consecutive_calls(text, start)
    calls = [call for candidate in row for call in _read_candidate(text, candidate)]
    if len(calls) > 1:
        thought = thought_before(text, row[0].start)
        return [(thought if index == 0 else "", call) for index, call in enumerate(calls)]
    try:
        return [read_one_call(text, start, readings)]
    except CallError as error:
        return [(text.strip(), error)]


def _join_lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


def _read_candidate(text: str, candidate: Candidate) -> list[Call | CallError]:
    try:
        return candidate.read(text[candidate.start : candidate.end])
    except CallError as error:
        return [error]


def _only_consecutive_calls(text: str, start: int) -> list[Candidate]:
    """The only row of calls with nothing between them; empty if a call is unreadable or if there are two such rows.

    Calls within a sentence do not count: `f(2)` may be mathematics.
    """
    all_candidates, broken = candidates(text, start)
    if broken:
        return []
    rows: list[list[Candidate]] = []
    for candidate in all_candidates:
        if candidate.space_before_bracket or (candidate.formula and candidate is not all_candidates[-1]):
            continue
        if rows and _is_separator(text[rows[-1][-1].end : candidate.start]):
            rows[-1].append(candidate)
        else:
            rows.append([candidate])
    separate = [row for row in rows if _is_alone_on_its_lines(text, row)]
    return separate[0] if len(separate) == 1 else []


def _is_alone_on_its_lines(text: str, row: list[Candidate]) -> bool:
    """Whether there are only marks before the row on its first line and after it on its last line."""
    lead = match_marks_before(line_context(text, row[0].start, row[0].end)[0])
    trail = match_marks_after(line_context(text, row[-1].start, row[-1].end)[1])
    return lead is not None and trail is not None and lead["bracket"] + trail["bracket"] in ("", "()", "[]")


def _is_separator(gap: str) -> bool:
    """Whether a gap between two calls holds nothing but separators and the marks of lists and code."""
    if _SEPARATOR.fullmatch(gap):
        return True
    line_after_call, *middle, line_before_call = gap.split("\n") if "\n" in gap else (gap, gap)
    trail, lead = match_marks_after(line_after_call), match_marks_before(line_before_call)
    if "\n" not in gap or not trail or not lead or trail["bracket"] or lead["bracket"]:
        return False
    return all(_FENCE_LINE.fullmatch(line) for line in middle)
