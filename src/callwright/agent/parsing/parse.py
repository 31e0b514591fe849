"""From a model's reply to its one call, read as data. Here: which call counts. candidates.py
and program.py find what stands in a reply, syntax.py and objects.py read it.

A call counts where its meaning is plain: alone on its line (in code fences, tags, list marks, after `>>>`, a label or
`x =`), else at the beginning or the end of a line or in backticks, and only if it is the only one. Anything else is a
syntax fault with a line that says what to write.
"""

import ast
import keyword
import re
from collections.abc import Sequence

from callwright.agent.parsing.candidates import (
    LABEL_PATTERN,
    Candidate,
    candidates,
    line_context,
    match_marks_before,
    read_python_call,
)
from callwright.agent.parsing.markup.marks import remove_marks
from callwright.agent.parsing.markup.read import LocatedCall, read_markup
from callwright.agent.parsing.markup.units import NoCallError
from callwright.agent.parsing.program import read_program
from callwright.agent.parsing.syntax import (
    CALCULATION_AFTER,
    CALL_ADVICE,
    COMPUTED_MESSAGE,
    MANY_CALLS_MESSAGE,
    NO_CALL_MESSAGE,
    call_from_node,
    nesting_depth,
    parse_expression,
    raise_syntax_fault,
)
from callwright.errors import CallError
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_DEPTH
from callwright.records import Call, Json

MAX_REPLY_CHARACTERS = 100_000  # a long chain of thought
_NUMBER = r"-?(?:0|[1-9][0-9]{0,10})(?:\.[0-9]{1,3})?"  # at most 15 digits: a float is exactly that
_IDENTIFIER = r"[a-zA-Z][a-zA-Z0-9_]*"
_FLAT_ARGUMENT = re.compile(rf"(?:({_IDENTIFIER})=)?({_NUMBER})")
_FLAT = re.compile(rf"({_IDENTIFIER})\(((?:{_IDENTIFIER}=)?{_NUMBER}(?:, (?:{_IDENTIFIER}=)?{_NUMBER}){{0,7}})\)")
_ONE_LINE = re.compile(r"[A-Za-z_][\w.]*\(.*\)", re.ASCII)  # no newline
_FENCE = re.compile(r"^[ \t]*```(?P<language>[\w-]*+)[ \t]*$\n?", re.MULTILINE)
_LAST_TAG = re.compile(r"<[^/<>\n][^<>\n]{0,40}>$")
_MAX_TAG_CHARACTERS = 43  # characters
_MAX_TAGS = 16  # before one call
_LABEL = re.compile(LABEL_PATTERN)
_CALCULATION_BEFORE = re.compile(r"[\d)\]]\s*[-+*/%^−]\s*$")
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)  # control, bidi
_THINK_END = "</think>"

_AMID_TEXT_MESSAGE = f"the call stands amid other text; {CALL_ADVICE}"


def parse_call(text: str) -> Call | CallError:
    """The one call of a model's reply, or what is wrong with it.

    Dotted names, positional and keyword arguments, literals only: numbers (also negative, and p/q), strings, booleans,
    None, lists, dicts with text keys. A fraction p/q of integers is kept as the string "p/q", so it stays exact. A call
    may also be a JSON object with a name and arguments.

    >>> parse_call("add(2, b=-3)")
    Call(name='add', arguments={'0': 2, 'b': -3})
    >>> parse_call("First the sum:\\n```python\\nx = add(2, 3)\\n```")
    Call(name='add', arguments={'0': 2, '1': 3})
    >>> parse_call("add(subtract(5, 3), 2)")
    CallError('an argument must be a plain value: call subtract first, then use its result')
    """
    return read_reply(text)[1]


def read_reply(text: str) -> tuple[str, Call | CallError]:
    """The thought and the call of a reply: the thought is what stood before the call; of an unreadable reply, all."""
    try:
        simple = _read_flat_call(text) or _read_bare_call(text)
        if simple is not None:
            return "", simple
        start = skip_reasoning(text)
        return read_one_call(text, start, read_markup(text, start))
    except CallError as error:
        return text.strip(), error


def _read_flat_call(text: str) -> Call | None:
    """A call of plain numbers, `add(a=2, b=3)`, several times quicker than by `ast`; None where `ast` has to look."""
    match = _FLAT.fullmatch(text) if len(text) <= MAX_CALL_CHARACTERS else None
    if match is None or keyword.iskeyword(match[1]):
        return None
    arguments: dict[str, Json] = {}
    places = 0
    for name, number in _FLAT_ARGUMENT.findall(match[2]):
        if name:
            if name in arguments or keyword.iskeyword(name):
                return None
            arguments[name] = float(number) if "." in number else int(number)
        elif len(arguments) > places:  # after a named one
            return None
        else:
            arguments[str(places)] = float(number) if "." in number else int(number)
            places += 1
    return Call(match[1], arguments)


def _read_bare_call(text: str) -> Call | None:
    """The call of a reply that is nothing else: nearly all replies of a model that has learnt the syntax."""
    text = text.strip()
    if len(text) > MAX_CALL_CHARACTERS or not (text.isascii() and text.isprintable()) or not _ONE_LINE.fullmatch(text):
        return None
    if "\\" in text or nesting_depth(text) > MAX_DEPTH:
        return None
    node = parse_expression(text)
    return call_from_node(node, text) if isinstance(node, ast.Call) and not _is_print_call(node) else None


def _is_print_call(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "print"


def read_one_call(text: str, start: int, markup_calls: Sequence[LocatedCall]) -> tuple[str, Call]:
    """The thought and the call of a reply that holds more than a bare call.

    Args:
        start: where the reply begins to be read.
        marked: the calls in markup from there on.

    Raises:
        CallError: there is no call, or more than one, or it is not plain that it is meant.
    """
    in_markup = [reading for reading in markup_calls if not isinstance(reading.call, NoCallError)]
    if len(in_markup) > 1 or (in_markup and has_call_after(text, in_markup[-1].end)):
        raise_syntax_fault(MANY_CALLS_MESSAGE)
    if in_markup:
        return thought_before(text, in_markup[0].start), _raise_if_error(in_markup[0].call)
    try:
        candidate = _find_call(text, start)
        calls = candidate.read(text[candidate.start : candidate.end])
    except CallError as error:
        unread = markup_calls[0].call if markup_calls else error
        raise (unread if isinstance(unread, CallError) and error.message == NO_CALL_MESSAGE else error) from None
    if len(calls) > 1:
        raise_syntax_fault(MANY_CALLS_MESSAGE)
    return thought_before(text, candidate.start), _raise_if_error(calls[0])


def _raise_if_error(call: Call | CallError) -> Call:
    if isinstance(call, CallError):
        raise call
    return call


def has_call_after(text: str, position: int) -> bool:
    """Whether there is a call without markup on a line of its own after `position`."""
    return any(
        candidate.placement == "alone" and not (candidate.space_before_bracket or candidate.formula)
        for candidate in candidates(text, position)[0]
    )


def skip_reasoning(text: str) -> int:
    """Where reading begins: after the model's reasoning, whose calls do not count.

    Raises:
        CallError: the reply is too long, or holds characters that no call has.
    """
    if len(text) > MAX_REPLY_CHARACTERS:
        raise_syntax_fault(f"the reply is longer than {MAX_REPLY_CHARACTERS} characters; {CALL_ADVICE}")
    if not text.isprintable() and _UNPRINTABLE.search(text):
        raise_syntax_fault(f"the reply holds characters that cannot be shown; {CALL_ADVICE}")
    thoughts = text.rfind(_THINK_END)
    return thoughts + len(_THINK_END) if thoughts >= 0 else 0


def _find_call(text: str, start: int) -> Candidate:
    """Find the only call of a reply.

    Raises:
        CallError: there is none, or more than one, or it is not plain that it is meant.
    """
    blocks = _fenced_blocks(text, start)
    program = read_program(text[slice(*(blocks[0] if len(blocks) == 1 else (start, len(text))))])
    if program is not None and program.has_nested_call:
        raise_syntax_fault(COMPUTED_MESSAGE)
    if program is None or blocks:
        return _find_call_in_prose(text, start)
    if len(program.calls) != 1:
        raise_syntax_fault(MANY_CALLS_MESSAGE if program.calls else NO_CALL_MESSAGE)
    ((first, last),) = program.calls
    return Candidate(start + first, start + last, "alone", read_python_call)


def _fenced_blocks(text: str, start: int) -> list[tuple[int, int]]:
    """[start, end) of the text in each pair of code fences."""
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
    all_candidates, broken = candidates(text, start)
    direct = [candidate for candidate in all_candidates if not candidate.space_before_bracket]
    on_own_line = [candidate for candidate in direct if candidate.placement == "alone"]
    if on_own_line:  # a formula on a line of its own belongs to the thought that comes before the call
        possible = [candidate for candidate in on_own_line if not candidate.formula or candidate is on_own_line[-1]]
    else:
        possible = [candidate for candidate in direct if not candidate.formula] or [
            candidate for candidate in all_candidates if candidate.placement == "alone"
        ]
        # `f(2)` in a sentence may be mathematics; JSON that names a function is a call.
        possible = [candidate for candidate in possible if candidate.is_json] or possible
    if not possible:
        raise broken[-1] if broken else CallError("syntax", NO_CALL_MESSAGE)
    if len(possible) > 1:
        raise_syntax_fault(MANY_CALLS_MESSAGE)
    _check_placement(text, possible[0])
    return possible[0]


def _check_placement(text: str, candidate: Candidate) -> None:
    if candidate.placement == "alone":
        return
    before, after = line_context(text, candidate.start, candidate.end)
    if _CALCULATION_BEFORE.search(before[-20:]) or CALCULATION_AFTER.match(after):
        raise_syntax_fault(COMPUTED_MESSAGE)
    if candidate.placement == "amid":
        raise_syntax_fault(_AMID_TEXT_MESSAGE)


def thought_before(text: str, start: int) -> str:
    """What stands before a call, without the marks that only introduce it; labels are kept."""
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
