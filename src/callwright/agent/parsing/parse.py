"""Find and parse the one call of a model's reply. The call is parsed as data; nothing is evaluated.

This module decides which call in a reply counts. candidates.py and python_reply.py find the calls, python_call.py and
json_call.py parse them. bare_call.py does both for a reply that is nothing but a call.

A call counts if its meaning is clear: it is alone on its line (in code fences, tags, list marks, after `>>>`, a label
or `x =`), or else at the beginning or the end of a line or in backticks, and it is the only one. Anything else is a
syntax fault with a line that says what to write.
"""

import re
from collections.abc import Sequence

from callwright.agent.parsing.bare_call import read_bare_call
from callwright.agent.parsing.candidates import (
    LABEL_PATTERN,
    Candidate,
    find_candidates,
    line_context,
    match_marks_before,
    read_python_call,
)
from callwright.agent.parsing.markup.blocks import LocatedCall, read_markup
from callwright.agent.parsing.markup.marks import remove_marks
from callwright.agent.parsing.markup.one_call import NoCallError
from callwright.agent.parsing.python_call import CALCULATION_AFTER
from callwright.agent.parsing.python_reply import read_program
from callwright.agent.parsing.syntax_faults import (
    CALL_ADVICE,
    COMPUTED_MESSAGE,
    MANY_CALLS_MESSAGE,
    NO_CALL_MESSAGE,
    syntax_fault,
)
from callwright.errors import CallError
from callwright.records import Call

MAX_REPLY_CHARACTERS = 100_000  # enough for a long chain of thought
_FENCE = re.compile(r"^[ \t]*```(?P<language>[\w-]*+)[ \t]*$\n?", re.MULTILINE)
_LAST_TAG = re.compile(r"<[^/<>\n][^<>\n]{0,40}>$")
_MAX_TAG_CHARACTERS = 43  # of _LAST_TAG
_MAX_TAGS = 16  # removed before a call
_LABEL = re.compile(LABEL_PATTERN)
_CALCULATION_BEFORE = re.compile(r"[\d)\]]\s*[-+*/%^−]\s*$")
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)  # control characters, marks of text direction, lone surrogates
_THINK_END = "</think>"

ThoughtsAndCalls = list[tuple[str, Call | CallError]]  # the steps of a reply before their calls are executed

_AMID_TEXT_MESSAGE = f"the call stands amid other text; {CALL_ADVICE}"


def parse_call(text: str) -> Call | CallError:
    """The one call of a model's reply, or the error that the model is shown.

    A call has a name, which may be dotted, and positional or keyword arguments, which are literals: numbers (also
    negative, and p/q), strings, booleans, None, lists, dicts with text keys. A fraction p/q of integers is kept as the
    string "p/q", so that it is exact. A call may also be a JSON object with a name and arguments.

    >>> parse_call("add(2, b=-3)")
    Call(name='add', arguments={'0': 2, 'b': -3})
    >>> parse_call("First the sum:\\n```python\\nx = add(2, 3)\\n```")
    Call(name='add', arguments={'0': 2, '1': 3})
    >>> parse_call("add(subtract(5, 3), 2)")
    CallError('an argument must be a plain value: call subtract first, then use its result')
    """
    return read_reply(text)[1]


def read_reply(text: str) -> tuple[str, Call | CallError]:
    """The thought and the call of a reply. The thought is the text before the call, or all of an unreadable reply."""
    try:
        bare_call = read_bare_call(text)
        if bare_call is not None:
            return "", bare_call
        start = skip_reasoning(text)
        return read_one_call(text, start, read_markup(text, start))
    except CallError as error:
        return text.strip(), error


def read_one_call(text: str, start: int, markup_calls: Sequence[LocatedCall]) -> tuple[str, Call]:
    """The thought and the call of a reply that holds more than a bare call.

    Args:
        start: the index from which on the reply is read (see `skip_reasoning`).
        markup_calls: the calls in markup from `start` on.

    Raises:
        CallError: there is no call or more than one, or it is unclear whether the call is intended.
    """
    in_markup = [located for located in markup_calls if not isinstance(located.call, NoCallError)]
    if len(in_markup) > 1 or (in_markup and has_call_after(text, in_markup[-1].end)):
        raise syntax_fault(MANY_CALLS_MESSAGE)
    if in_markup:
        return thought_before(text, in_markup[0].start), _raise_if_error(in_markup[0].call)
    try:
        candidate = _find_call(text, start)
        calls = candidate.read(text[candidate.start : candidate.end])
    except CallError as error:
        markup_error = markup_calls[0].call if markup_calls else None
        if isinstance(markup_error, CallError) and error.message == NO_CALL_MESSAGE:
            raise markup_error from None  # it says more
        raise
    if len(calls) > 1:
        raise syntax_fault(MANY_CALLS_MESSAGE)
    return thought_before(text, candidate.start), _raise_if_error(calls[0])


def _raise_if_error(call: Call | CallError) -> Call:
    if isinstance(call, CallError):
        raise call
    return call


def has_call_after(text: str, position: int) -> bool:
    """Whether there is a call without markup, alone on its line, after `position`."""
    return any(
        candidate.placement == "own_line" and not (candidate.space_before_bracket or candidate.without_literal)
        for candidate in find_candidates(text, position)[0]
    )


def skip_reasoning(text: str) -> int:
    """Check a reply's length and characters, and return the index after the reasoning, whose calls do not count.

    Raises:
        CallError: the reply has more than MAX_REPLY_CHARACTERS characters, or a character that is never in a call.
    """
    if len(text) > MAX_REPLY_CHARACTERS:
        raise syntax_fault(f"the reply is longer than {MAX_REPLY_CHARACTERS} characters; {CALL_ADVICE}")
    if not text.isprintable() and _UNPRINTABLE.search(text):
        raise syntax_fault(f"the reply holds characters that cannot be shown; {CALL_ADVICE}")
    reasoning_end = text.rfind(_THINK_END)
    return reasoning_end + len(_THINK_END) if reasoning_end >= 0 else 0


def _find_call(text: str, start: int) -> Candidate:
    """Find the only call of a reply.

    Raises:
        CallError: there is no call or more than one, or it is unclear whether the call is intended.
    """
    blocks = _fenced_blocks(text, start)
    program = read_program(text[slice(*(blocks[0] if len(blocks) == 1 else (start, len(text))))])
    if program is not None and program.has_nested_call:
        raise syntax_fault(COMPUTED_MESSAGE)
    if program is None or blocks:
        return _find_call_in_prose(text, start)
    if len(program.calls) != 1:
        raise syntax_fault(MANY_CALLS_MESSAGE if program.calls else NO_CALL_MESSAGE)
    ((call_start, call_end),) = program.calls
    return Candidate(start + call_start, start + call_end, "own_line", read_python_call)


def _fenced_blocks(text: str, start: int) -> list[tuple[int, int]]:
    """[start, end) of the text within each pair of code fences."""
    blocks: list[tuple[int, int]] = []
    opening: re.Match[str] | None = None
    for fence in _FENCE.finditer(text, start):
        if opening is None:
            opening = fence
        elif fence["language"] == "":
            blocks.append((opening.end(), fence.start()))
            opening = None
    return blocks


def _find_call_in_prose(text: str, start: int) -> Candidate:
    all_candidates, errors = find_candidates(text, start)
    unspaced = [candidate for candidate in all_candidates if not candidate.space_before_bracket]
    on_own_line = [candidate for candidate in unspaced if candidate.placement == "own_line"]
    if on_own_line:
        # `Dog(rex)` alone on its line is the call if it is the last such line; before that it belongs to the thought.
        possible_calls = [
            candidate for candidate in on_own_line if not candidate.without_literal or candidate is on_own_line[-1]
        ]
    else:
        possible_calls = [candidate for candidate in unspaced if not candidate.without_literal] or [
            candidate for candidate in all_candidates if candidate.placement == "own_line"
        ]
        # `f(2)` in a sentence may be mathematics; a JSON object that names a function is a call.
        possible_calls = [candidate for candidate in possible_calls if candidate.is_json] or possible_calls
    if not possible_calls:
        raise errors[-1] if errors else syntax_fault(NO_CALL_MESSAGE)
    if len(possible_calls) > 1:
        raise syntax_fault(MANY_CALLS_MESSAGE)
    _check_placement(text, possible_calls[0])
    return possible_calls[0]


def _check_placement(text: str, candidate: Candidate) -> None:
    if candidate.placement == "own_line":
        return
    before, after = line_context(text, candidate.start, candidate.end)
    if _CALCULATION_BEFORE.search(before[-20:]) or CALCULATION_AFTER.match(after):
        raise syntax_fault(COMPUTED_MESSAGE)
    if candidate.placement == "mid_line":
        raise syntax_fault(_AMID_TEXT_MESSAGE)


def thought_before(text: str, start: int) -> str:
    """The text before a call, without the marks that introduce the call; labels are kept."""
    before, _, line = text[:start].rpartition("\n")
    if match_marks_before(line):
        line = " ".join(_LABEL.findall(line))
    line = line.rstrip().removesuffix("print(").rstrip(" `*\"'“‘")
    thought = remove_marks(_FENCE.sub("", f"{before}\n{line}\n").strip())
    for _ in range(_MAX_TAGS):
        tag = _LAST_TAG.search(thought, max(0, len(thought) - _MAX_TAG_CHARACTERS))
        if tag is None:
            break
        thought = thought[: tag.start()].rstrip()
    return thought
