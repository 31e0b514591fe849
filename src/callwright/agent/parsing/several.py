"""Read the calls in a native reply's text, which may hold several, as some servers pass calls on as text.

Several calls without markup count only if there is nothing but calls from the first to the last: a list, lines, or a
code block. With prose between them it is unclear which are meant. Calls that a sentence before or after mentions do not
count.
"""

import re

from callwright.agent.parsing.candidates import Found, around, candidates, match_lead, match_trail
from callwright.agent.parsing.markup.read import read_markup
from callwright.agent.parsing.markup.units import NoUnitError
from callwright.agent.parsing.parse import calls_after, read_one_call, readable_from, thought_before
from callwright.agent.parsing.syntax import MANY_CALLS
from callwright.errors import CallError
from callwright.records import Call

Said = list[tuple[str, Call | CallError]]

_SEPARATOR = re.compile(r"[\s,;]*")
_FENCE_LINE = re.compile(r"\s*+(?:```[\w-]*+\s*+)?")


def read_calls(text: str) -> Said:
    """The calls of a text in order, each with the text before it; or the whole text and its error."""
    try:
        start = readable_from(text)
    except CallError as error:
        return [(text.strip(), error)]
    readings = read_markup(text, start)
    in_markup = [reading for reading in readings if not isinstance(reading.call, NoUnitError)]
    if in_markup:
        thought = thought_before(text, in_markup[0].start)
        calls_read: Said = []
        for reading in in_markup:
            unread = "" if isinstance(reading.call, Call) else text[reading.start : reading.end].strip()
            calls_read.append((_join_lines("" if calls_read else thought, unread), reading.call))
        if calls_after(text, in_markup[-1].end):
            calls_read.append((text[in_markup[-1].end :].strip(), CallError("syntax", MANY_CALLS)))
        return calls_read
    row = _only_row_of_calls(text, start)
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


def _read_candidate(text: str, candidate: Found) -> list[Call | CallError]:
    try:
        return candidate.read(text[candidate.start : candidate.end])
    except CallError as error:
        return [error]


def _only_row_of_calls(text: str, start: int) -> list[Found]:
    """The only row of calls with nothing between them; empty if a call is unreadable or if there are two such rows.

    Calls within a sentence do not count: `f(2)` may be mathematics.
    """
    all_candidates, broken = candidates(text, start)
    if broken:
        return []
    rows: list[list[Found]] = []
    for candidate in all_candidates:
        if candidate.spaced or (candidate.formula and candidate is not all_candidates[-1]):
            continue
        if rows and _is_empty(text[rows[-1][-1].end : candidate.start]):
            rows[-1].append(candidate)
        else:
            rows.append([candidate])
    separate = [row for row in rows if _stands_alone(text, row)]
    return separate[0] if len(separate) == 1 else []


def _stands_alone(text: str, row: list[Found]) -> bool:
    """Whether there are only marks before the row on its first line and after it on its last line."""
    lead = match_lead(around(text, row[0].start, row[0].end)[0])
    trail = match_trail(around(text, row[-1].start, row[-1].end)[1])
    return lead is not None and trail is not None and lead["bracket"] + trail["bracket"] in ("", "()", "[]")


def _is_empty(gap: str) -> bool:
    """Whether a gap between two calls holds nothing but separators and the marks of lists and code."""
    if _SEPARATOR.fullmatch(gap):
        return True
    line_after_call, *middle, line_before_call = gap.split("\n") if "\n" in gap else (gap, gap)
    trail, lead = match_trail(line_after_call), match_lead(line_before_call)
    if "\n" not in gap or not trail or not lead or trail["bracket"] or lead["bracket"]:
        return False
    return all(_FENCE_LINE.fullmatch(line) for line in middle)
