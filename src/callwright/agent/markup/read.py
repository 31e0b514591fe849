"""All calls of a reply that stand in a template's markup, in order. docs/decisions/0011 lists the families.

A mark opens a block, and in a block calls stand one after the other. Opening and closing marks may be missing, as
servers take some of them away. Prose between the blocks is no call. Within a block nothing is left out: what cannot be
read is a fault that says why.
"""

import re
from dataclasses import dataclass

from callwright.agent.markup.marks import AFTER_UNIT, BEFORE_UNIT, CLOSING, OPENING, without_marks
from callwright.agent.markup.react import read_react
from callwright.agent.markup.units import continues, read_unit
from callwright.agent.syntax import EXAMPLE, syntax_fault
from callwright.errors import CallError
from callwright.functions.guard import MAX_ITEMS
from callwright.records import Call

_OBJECT_LINE = re.compile(r"^[ \t]*+(?:\[[ \t]*+)?\{", re.MULTILINE)
_PYTHON = re.compile(r"[A-Za-z_][\w.]*+\(")


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands at [start, end) of a reply: a call, or what is wrong with one."""

    start: int
    end: int
    call: Call | CallError


def read_markup(text: str, start: int = 0) -> list[Reading]:
    """The calls in markup from `start` on, at most MAX_ITEMS + 1; empty where there is no mark of one.

    >>> read_markup('So.\\n<tool_call>\\n{"name": "add", "arguments": {"a": 2, "b": 0.5}}\\n</tool_call>')
    [Reading(start=4, end=77, call=Call(name='add', arguments={'a': 2, 'b': 0.5}))]
    """
    readings, end = _unopened(text, start)
    opening = OPENING.search(text, end)
    while opening is not None and len(readings) <= MAX_ITEMS:
        block, end = _read_block(text, opening.start())
        readings += block
        opening = OPENING.search(text, end)
    if not readings:
        readings = [Reading(*action) for action in read_react(text, start)]
    return readings[: MAX_ITEMS + 1]


def _unopened(text: str, start: int) -> tuple[list[Reading], int]:
    """The calls in JSON that have lost their opening mark and kept the closing one, and the index after them."""
    first = _OBJECT_LINE.search(text, start)
    if first is None:
        return [], start
    opening = OPENING.search(text, first.end())
    if CLOSING.search(text, first.end(), opening.start() if opening else len(text)) is None:
        return [], start
    if OPENING.search(text, start, first.start()):
        return [], start
    readings, end = _read_block(text, first.start())
    closed = text[first.start() : end].rstrip().endswith(">")  # the mark stands right behind the calls
    return (readings, end) if closed and any(isinstance(one.call, Call) for one in readings) else ([], start)


def without_markup(text: str) -> str:
    """A text beside real tool calls, without what is left of their markup: marks, and calls that stand in them.

    >>> without_markup('So.\\n<tool_call>\\n{"name": "add", "arguments": {"a": 2}}\\n</tool_call>\\n</function>')
    'So.'
    """
    pieces: list[str] = []
    end = 0
    for reading in read_markup(text):
        if isinstance(reading.call, Call):
            pieces.append(text[end : reading.start])
            end = reading.end
    return without_marks("".join([*pieces, text[end:]])).strip()


def _read_block(text: str, start: int) -> tuple[list[Reading], int]:
    """What stands from an opening mark to where its calls end, and the index after it."""
    readings: list[Reading] = []
    begin, position = start, _after(BEFORE_UNIT, text, start)
    while True:
        try:
            calls, end = read_unit(text, position)
            after = _after(AFTER_UNIT, text, end)
            closed = CLOSING.search(text, end, after) is not None
            following = _next_unit(text, after, closed)
            if following is None and not closed and "\n" not in text[end:after] and continues(text, after):
                syntax_fault(
                    f"{text[after : after + 20].strip()} comes after the call and could not be read; {EXAMPLE}"
                )
        except CallError as error:
            end = _end_of_block(text, position)
            return [*readings, Reading(begin, end, error)], end
        readings += [Reading(begin, after, call) for call in calls]
        if following is None or len(readings) > MAX_ITEMS:
            return readings, after
        begin, position = after, following


def _next_unit(text: str, position: int, closed: bool) -> int | None:
    """Where the next call begins, if it follows at once: perhaps after a comma, a bracket or a mark.

    Args:
        closed: whether the call before it was closed by a mark; what comes then may be prose.
    """
    following = _after(BEFORE_UNIT, text, position)
    if following == len(text):
        return None
    marked = OPENING.search(text, position, following) or OPENING.match(text, following)
    if marked or text.startswith("{", following) or (not closed and _PYTHON.match(text, following)):
        return following
    return None


def _after(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _end_of_block(text: str, position: int) -> int:
    """Where a block ends that could not be read: at the next mark of any kind."""
    opening = OPENING.search(text, position + 1)
    end = opening.start() if opening else len(text)
    closing = CLOSING.search(text, position, end)
    return closing.start() if closing else end
