"""From a native reply's text to its calls: a reply may hold several, and a server may have passed them on as text.

Several calls without markup count only where nothing but calls stands from the first to the last: a list, lines, a code
block. Where prose stands between them, it is not plain which are meant. What a sentence before or after them mentions
does not count.
"""

import re

from callwright.agent.candidates import Found, around, candidates, match_lead, match_trail
from callwright.agent.markup.read import read_markup
from callwright.agent.markup.units import NoUnitError
from callwright.agent.parse import calls_after, read_one_call, readable_from, thought_before
from callwright.agent.syntax import MANY_CALLS
from callwright.errors import CallError
from callwright.records import Call

Said = list[tuple[str, Call | CallError]]

_SEPARATOR = re.compile(r"[\s,;]*")
_FENCE_LINE = re.compile(r"\s*+(?:```[\w-]*+\s*+)?")


def read_calls(text: str) -> Said:
    """What a text says, in order: each call with what stood before it, or the whole text and what is wrong with it."""
    try:
        start = readable_from(text)
    except CallError as error:
        return [(text.strip(), error)]
    readings = read_markup(text, start)
    marked = [one for one in readings if not isinstance(one.call, NoUnitError)]
    if marked:
        thought = thought_before(text, marked[0].start)
        said: Said = []
        for one in marked:
            unread = "" if isinstance(one.call, Call) else text[one.start : one.end].strip()
            said.append((_joined("" if said else thought, unread), one.call))
        if calls_after(text, marked[-1].end):
            said.append((text[marked[-1].end :].strip(), CallError("syntax", MANY_CALLS)))
        return said
    run = _run(text, start)
    calls = [call for one in run for call in _read(text, one)]
    if len(calls) > 1:
        return [(thought_before(text, run[0].start) if place == 0 else "", call) for place, call in enumerate(calls)]
    try:
        return [read_one_call(text, start, readings)]
    except CallError as error:
        return [(text.strip(), error)]


def _joined(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _read(text: str, found: Found) -> list[Call | CallError]:
    try:
        return found.read(text[found.start : found.end])
    except CallError as error:
        return [error]


def _run(text: str, start: int) -> list[Found]:
    """The calls between which nothing else stands; none where a call could not be read, or two such rows are there.

    Calls within a sentence are no row: `f(2)` may be mathematics.
    """
    found, broken = candidates(text, start)
    if broken:
        return []
    rows: list[list[Found]] = []
    for one in found:
        if one.spaced or (one.formula and one is not found[-1]):
            continue
        if rows and _is_empty(text[rows[-1][-1].end : one.start]):
            rows[-1].append(one)
        else:
            rows.append([one])
    standing = [row for row in rows if _stands_alone(text, row)]
    return standing[0] if len(standing) == 1 else []


def _stands_alone(text: str, row: list[Found]) -> bool:
    """Whether only marks stand before a row on its first line and after it on its last."""
    lead = match_lead(around(text, row[0].start, row[0].end)[0])
    trail = match_trail(around(text, row[-1].start, row[-1].end)[1])
    return lead is not None and trail is not None and lead["bracket"] + trail["bracket"] in ("", "()", "[]")


def _is_empty(gap: str) -> bool:
    """Whether a gap between two calls holds nothing but separators and the marks of lists and code."""
    if _SEPARATOR.fullmatch(gap):
        return True
    first, *between, last = gap.split("\n") if "\n" in gap else (gap, gap)
    trail, lead = match_trail(first), match_lead(last)
    if "\n" not in gap or not trail or not lead or trail["bracket"] or lead["bracket"]:
        return False
    return all(_FENCE_LINE.fullmatch(line) for line in between)
