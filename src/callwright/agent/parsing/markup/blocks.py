"""Read all calls of a reply that are in the markup of a chat template, in order (docs/decisions/0011).

A mark opens a block, and a block holds one call after the other. Opening and closing marks may be missing, because
servers remove some of them. Prose between blocks is ignored. Within a block nothing is ignored: unreadable text is a
fault.
"""

import re
from dataclasses import dataclass

from callwright.agent.parsing.markup.marks import AFTER_CALL, BEFORE_CALL, CLOSING, OPENING, end_of_match, remove_marks
from callwright.agent.parsing.markup.one_call import call_continues, read_calls_at
from callwright.agent.parsing.markup.react import read_react
from callwright.agent.parsing.syntax_faults import CALL_ADVICE, syntax_fault
from callwright.errors import CallError
from callwright.functions.guard import MAX_ITEMS
from callwright.records import Call

_OBJECT_LINE = re.compile(r"^[ \t]*+(?:\[[ \t]*+)?\{", re.MULTILINE)
_PYTHON = re.compile(r"[A-Za-z_][\w.]*+\(")


@dataclass(frozen=True, slots=True)
class LocatedCall:
    """A call at [start, end) of a reply, or the error in it."""

    start: int
    end: int
    call: Call | CallError


def read_markup(text: str, start: int = 0) -> list[LocatedCall]:
    """The calls in markup from `start` on; empty if there is no mark.

    At most MAX_ITEMS + 1 are returned, so that the caller can see that there are more than MAX_ITEMS.

    >>> read_markup('So.\\n<tool_call>\\n{"name": "add", "arguments": {"a": 2, "b": 0.5}}\\n</tool_call>')
    [LocatedCall(start=4, end=77, call=Call(name='add', arguments={'a': 2, 'b': 0.5}))]
    """
    located_calls, end = _read_unopened_block(text, start)
    opening = OPENING.search(text, end)
    while opening is not None and len(located_calls) <= MAX_ITEMS:
        block, end = _read_block(text, opening.start())
        located_calls += block
        opening = OPENING.search(text, end)
    if not located_calls:
        located_calls = [LocatedCall(*action) for action in read_react(text, start)]
    return located_calls[: MAX_ITEMS + 1]


def _read_unopened_block(text: str, start: int) -> tuple[list[LocatedCall], int]:
    """The JSON calls that have a closing mark but no opening mark, and the index after them."""
    first_object = _OBJECT_LINE.search(text, start)
    if first_object is None:
        return [], start
    opening = OPENING.search(text, first_object.end())
    if CLOSING.search(text, first_object.end(), opening.start() if opening else len(text)) is None:
        return [], start
    if OPENING.search(text, start, first_object.start()):
        return [], start
    located_calls, end = _read_block(text, first_object.start())
    closed = text[first_object.start() : end].rstrip().endswith(">")  # the closing mark follows the calls directly
    if closed and any(isinstance(located.call, Call) for located in located_calls):
        return located_calls, end
    return [], start


def remove_markup(text: str) -> str:
    """The text of a reply that has tool calls of the API, without leftover markup: marks, and calls between them.

    >>> remove_markup('So.\\n<tool_call>\\n{"name": "add", "arguments": {"a": 2}}\\n</tool_call>\\n</function>')
    'So.'
    """
    pieces: list[str] = []
    end = 0
    for located in read_markup(text):
        if isinstance(located.call, Call):
            pieces.append(text[end : located.start])
            end = located.end
    return remove_marks("".join([*pieces, text[end:]])).strip()


def _read_block(text: str, start: int) -> tuple[list[LocatedCall], int]:
    """The calls from an opening mark to the end of its block, and the index after them."""
    located_calls: list[LocatedCall] = []
    mark_start, position = start, end_of_match(BEFORE_CALL, text, start)
    while True:
        try:
            calls, end = read_calls_at(text, position)
            call_end = end_of_match(AFTER_CALL, text, end)
            closed = CLOSING.search(text, end, call_end) is not None
            next_call = _next_call(text, call_end, closed)
            if next_call is None and not closed and "\n" not in text[end:call_end] and call_continues(text, call_end):
                rest = text[call_end : call_end + 20].strip()
                raise syntax_fault(f"{rest} comes after the call and could not be read; {CALL_ADVICE}")
        except CallError as error:
            end = _end_of_block(text, position)
            return [*located_calls, LocatedCall(mark_start, end, error)], end
        located_calls += [LocatedCall(mark_start, call_end, call) for call in calls]
        if next_call is None or len(located_calls) > MAX_ITEMS:
            return located_calls, call_end
        mark_start, position = call_end, next_call


def _next_call(text: str, position: int, closed: bool) -> int | None:
    """Where the next call begins, if only commas, brackets or marks are before it; else None.

    Args:
        closed: whether a mark closed the previous call, so that prose may follow.
    """
    next_position = end_of_match(BEFORE_CALL, text, position)
    if next_position == len(text):
        return None
    mark = OPENING.search(text, position, next_position) or OPENING.match(text, next_position)
    if mark or text.startswith("{", next_position) or (not closed and _PYTHON.match(text, next_position)):
        return next_position
    return None


def _end_of_block(text: str, position: int) -> int:
    """Where an unreadable block ends: at the next mark, opening or closing."""
    opening = OPENING.search(text, position + 1)
    end = opening.start() if opening else len(text)
    closing = CLOSING.search(text, position, end)
    return closing.start() if closing else end
