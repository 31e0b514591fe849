"""Find the calls in the text of a native reply. It may hold several, because some servers return tool calls as text.

Several calls without markup count only if there is nothing but calls from the first to the last: a list, lines, or a
code block. If there is prose between them, it is unclear which are intended. Calls that a sentence before or after
mentions do not count.
"""

import re

from callwright.agent.parsing.candidates import (
    Candidate,
    are_matching_marks,
    find_candidates,
    line_context,
    match_marks_after,
    match_marks_before,
)
from callwright.agent.parsing.markup.blocks import read_markup
from callwright.agent.parsing.markup.one_call import NoCallError
from callwright.agent.parsing.parse import (
    ThoughtsAndCalls,
    has_call_after,
    read_one_call,
    skip_reasoning,
    thought_before,
)
from callwright.agent.parsing.syntax_faults import MANY_CALLS_MESSAGE
from callwright.errors import CallError
from callwright.records import Call

_SEPARATOR = re.compile(r"[\s,;]*")
_FENCE_LINE = re.compile(r"\s*+(?:```[\w-]*+\s*+)?")


def read_calls(text: str) -> ThoughtsAndCalls:
    """The calls of a text in order, each with its thought: the text before the first call, "" for the others.

    A call that could not be read is an error, and its thought holds its text; if the reply as a whole could not be
    read, the thought is the whole text.
    """
    try:
        start = skip_reasoning(text)
    except CallError as error:
        return [(text.strip(), error)]
    markup_calls = read_markup(text, start)
    in_markup = [located for located in markup_calls if not isinstance(located.call, NoCallError)]
    if in_markup:
        thought = thought_before(text, in_markup[0].start)
        calls_read: ThoughtsAndCalls = []
        for located in in_markup:
            unreadable = "" if isinstance(located.call, Call) else text[located.start : located.end].strip()
            calls_read.append((_join_lines("" if calls_read else thought, unreadable), located.call))
        if has_call_after(text, in_markup[-1].end):
            calls_read.append((text[in_markup[-1].end :].strip(), CallError("syntax", MANY_CALLS_MESSAGE)))
        return calls_read
    consecutive = _only_consecutive_calls(text, start)
    calls = [call for candidate in consecutive for call in _read_candidate(text, candidate)]
    if len(calls) > 1:
        thought = thought_before(text, consecutive[0].start)
        return [(thought if index == 0 else "", call) for index, call in enumerate(calls)]
    try:
        return [read_one_call(text, start, markup_calls)]
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
    """The calls with only separators between them; empty if a call is unreadable or if there are two such groups.

    Calls within a sentence do not count: `f(2)` may be mathematics.
    """
    candidates, errors = find_candidates(text, start)
    if errors:
        return []
    groups: list[list[Candidate]] = []
    for candidate in candidates:
        if candidate.space_before_bracket or (candidate.without_literal and candidate is not candidates[-1]):
            continue
        if groups and _is_separator(text[groups[-1][-1].end : candidate.start]):
            groups[-1].append(candidate)
        else:
            groups.append([candidate])
    outside_prose = [group for group in groups if _is_alone_on_its_lines(text, group)]
    return outside_prose[0] if len(outside_prose) == 1 else []


def _is_alone_on_its_lines(text: str, group: list[Candidate]) -> bool:
    """Whether there are only marks before the group on its first line and after it on its last line."""
    before, _ = line_context(text, group[0].start, group[0].end)
    _, after = line_context(text, group[-1].start, group[-1].end)
    return are_matching_marks(match_marks_before(before), match_marks_after(after))


def _is_separator(gap: str) -> bool:
    """Whether the text between two calls is only separators and marks of lists and code."""
    if _SEPARATOR.fullmatch(gap):
        return True
    line_after_call, *middle, line_before_call = gap.split("\n") if "\n" in gap else (gap, gap)
    trail, lead = match_marks_after(line_after_call), match_marks_before(line_before_call)
    if "\n" not in gap or not trail or not lead or trail["bracket"] or lead["bracket"]:
        return False
    return all(_FENCE_LINE.fullmatch(line) for line in middle)
