"""Read all calls of a reply that are in a template's markup, in order. docs/decisions/0011 lists the families.

A mark opens a block, and a block holds one call after the other. Opening and closing marks may be missing, as servers
remove some of them. Prose between blocks is ignored. Within a block nothing is ignored: unreadable text is a fault.
"""

import re
from dataclasses import dataclass

from callwright.agent.parsing.markup.marks import AFTER_CALL, BEFORE_CALL, CLOSING, OPENING, remove_marks
from callwright.agent.parsing.markup.react import read_react
from callwright.agent.parsing.markup.units import continues, read_calls_at
from callwright.agent.parsing.syntax import CALL_ADVICE, raise_syntax_fault
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
    """The calls in markup from `start` on, at most MAX_ITEMS + 1; empty if there is no mark.

    >>> read_markup('So.\\n<tool_call>\\n{"name": "add", "arguments": {"a": 2, "b": 0.5}}\\n</tool_call>')
    [LocatedCall(start=4, end=77, call=Call(name='add', arguments={'a': 2, 'b': 0.5}))]
    """
    readings, end = _read_unopened_block(text, start)
    opening = OPENING.search(text, end)
    while opening is not None and len(readings) <= MAX_ITEMS:
        block, end = _read_block(text, opening.start())
        readings += block
        opening = OPENING.search(text, end)
    if not readings:
        readings = [LocatedCall(*action) for action in read_react(text, start)]
    return readings[: MAX_ITEMS + 1]


def _read_unopened_block(text: str, start: int) -> tuple[list[LocatedCall], int]:
    """The JSON calls that have a closing mark but no opening one, and the index after them."""
    first_object = _OBJECT_LINE.search(text, start)
    if first_object is None:
        return [], start
    opening = OPENING.search(text, first_object.end())
    if CLOSING.search(text, first_object.end(), opening.start() if opening else len(text)) is None:
        return [], start
    if OPENING.search(text, start, first_object.start()):
        return [], start
    readings, end = _read_block(text, first_object.start())
    closed = text[first_object.start() : end].rstrip().endswith(">")  # the closing mark follows the calls directly
    return (readings, end) if closed and any(isinstance(reading.call, Call) for reading in readings) else ([], start)


def remove_markup(text: str) -> str:
    """The text of a reply that has real tool calls, without remains of markup: marks, and calls between them.

    >>> remove_markup('So.\\n<tool_call>\\n{"name": "add", "arguments": {"a": 2}}\\n</tool_call>\\n</function>')
    'So.'
    """
    pieces: list[str] = []
    end = 0
    for reading in read_markup(text):
        if isinstance(reading.call, Call):
            pieces.append(text[end : reading.start])
            end = reading.end
    return remove_marks("".join([*pieces, text[end:]])).strip()


def _read_block(text: str, start: int) -> tuple[list[LocatedCall], int]:
    """The calls from an opening mark to the end of its block, and the index after them."""
    readings: list[LocatedCall] = []
    begin, position = start, _end_of_match(BEFORE_CALL, text, start)
    while True:
        try:
            calls, end = read_calls_at(text, position)
            call_end = _end_of_match(AFTER_CALL, text, end)
            closed = CLOSING.search(text, end, call_end) is not None
            next_call = _next_call(text, call_end, closed)
            if next_call is None and not closed and "\n" not in text[end:call_end] and continues(text, call_end):
                rest = text[call_end : call_end + 20].strip()
                raise_syntax_fault(f"{rest} comes after the call and could not be read; {CALL_ADVICE}")
        except CallError as error:
            end = _end_of_block(text, position)
            return [*readings, LocatedCall(begin, end, error)], end
        readings += [LocatedCall(begin, call_end, call) for call in calls]
        if next_call is None or len(readings) > MAX_ITEMS:
            return readings, call_end
        begin, position = call_end, next_call


def _next_call(text: str, position: int, closed: bool) -> int | None:
    """Where the next call begins, if only commas, brackets or marks come before it; else None.

    Args:
        closed: whether a mark closed the previous call; prose may follow then.
    """
    next_position = _end_of_match(BEFORE_CALL, text, position)
    if next_position == len(text):
        return None
    mark = OPENING.search(text, position, next_position) or OPENING.match(text, next_position)
    if mark or text.startswith("{", next_position) or (not closed and _PYTHON.match(text, next_position)):
        return next_position
    return None


def _end_of_match(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _end_of_block(text: str, position: int) -> int:
    """Where an unreadable block ends: at the next mark of any kind."""
    opening = OPENING.search(text, position + 1)
    end = opening.start() if opening else len(text)
    closing = CLOSING.search(text, position, end)
    return closing.start() if closing else end
