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

from callwright.agent.parsing.candidates import LABEL, Found, around, candidates, match_lead, read_one
from callwright.agent.parsing.markup.marks import without_marks
from callwright.agent.parsing.markup.read import Reading, read_markup
from callwright.agent.parsing.markup.units import NoUnitError
from callwright.agent.parsing.program import read_program
from callwright.agent.parsing.syntax import (
    COMPUTED,
    COMPUTED_AFTER,
    EXAMPLE,
    MANY_CALLS,
    NO_CALL,
    call_of,
    depth,
    parse_expression,
    syntax_fault,
)
from callwright.errors import CallError
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_DEPTH
from callwright.records import Call, Json

MAX_REPLY_CHARACTERS = 100_000  # a long chain of thought
_NUMBER = r"-?(?:0|[1-9][0-9]{0,10})(?:\.[0-9]{1,3})?"  # at most 15 digits: a float is exactly that
_WORD = r"[a-zA-Z][a-zA-Z0-9_]*"
_FLAT_ARGUMENT = re.compile(rf"(?:({_WORD})=)?({_NUMBER})")
_FLAT = re.compile(rf"({_WORD})\(((?:{_WORD}=)?{_NUMBER}(?:, (?:{_WORD}=)?{_NUMBER}){{0,7}})\)")
_ONE_LINE = re.compile(r"[A-Za-z_][\w.]*\(.*\)", re.ASCII)  # no newline
_FENCE = re.compile(r"^[ \t]*```(?P<language>[\w-]*+)[ \t]*$\n?", re.MULTILINE)
_LAST_TAG = re.compile(r"<[^/<>\n][^<>\n]{0,40}>$")
_MAX_TAG = 43  # characters
_MAX_TAGS = 16  # before one call
_LABEL = re.compile(LABEL)
_COMPUTED_BEFORE = re.compile(r"[\d)\]]\s*[-+*/%^−]\s*$")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")  # control, bidi
_THINK_END = "</think>"

_AMID = f"the call stands amid other text; {EXAMPLE}"


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
        simple = _flat(text) or _simple(text)
        if simple is not None:
            return "", simple
        start = readable_from(text)
        return read_one_call(text, start, read_markup(text, start))
    except CallError as error:
        return text.strip(), error


def _flat(text: str) -> Call | None:
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


def _simple(text: str) -> Call | None:
    """The call of a reply that is nothing else: nearly all replies of a model that has learnt the syntax."""
    text = text.strip()
    if len(text) > MAX_CALL_CHARACTERS or not (text.isascii() and text.isprintable()) or not _ONE_LINE.fullmatch(text):
        return None
    if "\\" in text or depth(text) > MAX_DEPTH:
        return None
    node = parse_expression(text)
    return call_of(node, text) if isinstance(node, ast.Call) and not _is_print(node) else None


def _is_print(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "print"


def read_one_call(text: str, start: int, marked: Sequence[Reading]) -> tuple[str, Call]:
    """The thought and the call of a reply that holds more than a bare call.

    Args:
        start: where the reply begins to be read.
        marked: the calls in markup from there on.

    Raises:
        CallError: there is no call, or more than one, or it is not plain that it is meant.
    """
    in_markup = [reading for reading in marked if not isinstance(reading.call, NoUnitError)]
    if len(in_markup) > 1 or (in_markup and calls_after(text, in_markup[-1].end)):
        syntax_fault(MANY_CALLS)
    if in_markup:
        return thought_before(text, in_markup[0].start), _raise_if_error(in_markup[0].call)
    try:
        candidate = _find_call(text, start)
        calls = candidate.read(text[candidate.start : candidate.end])
    except CallError as error:
        unread = marked[0].call if marked else error
        raise (unread if isinstance(unread, CallError) and error.message == NO_CALL else error) from None
    if len(calls) > 1:
        syntax_fault(MANY_CALLS)
    return thought_before(text, candidate.start), _raise_if_error(calls[0])


def _raise_if_error(call: Call | CallError) -> Call:
    if isinstance(call, CallError):
        raise call
    return call


def calls_after(text: str, position: int) -> bool:
    """Whether there is a call without markup on a line of its own after `position`."""
    return any(
        candidate.place == "alone" and not (candidate.spaced or candidate.formula)
        for candidate in candidates(text, position)[0]
    )


def readable_from(text: str) -> int:
    """Where reading begins: after the model's reasoning, whose calls do not count.

    Raises:
        CallError: the reply is too long, or holds characters that no call has.
    """
    if len(text) > MAX_REPLY_CHARACTERS:
        syntax_fault(f"the reply is longer than {MAX_REPLY_CHARACTERS} characters; {EXAMPLE}")
    if not text.isprintable() and _UNSEEN.search(text):
        syntax_fault(f"the reply holds characters that cannot be shown; {EXAMPLE}")
    thoughts = text.rfind(_THINK_END)
    return thoughts + len(_THINK_END) if thoughts >= 0 else 0


def _find_call(text: str, start: int) -> Found:
    """Find the only call of a reply.

    Raises:
        CallError: there is none, or more than one, or it is not plain that it is meant.
    """
    blocks = _fenced_blocks(text, start)
    program = read_program(text[slice(*(blocks[0] if len(blocks) == 1 else (start, len(text))))])
    if program is not None and program.computes:
        syntax_fault(COMPUTED)
    if program is None or blocks:
        return _in_prose(text, start)
    if len(program.calls) != 1:
        syntax_fault(MANY_CALLS if program.calls else NO_CALL)
    ((first, last),) = program.calls
    return Found(start + first, start + last, "alone", read_one)


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


def _in_prose(text: str, start: int) -> Found:
    all_candidates, broken = candidates(text, start)
    direct = [candidate for candidate in all_candidates if not candidate.spaced]
    on_own_line = [candidate for candidate in direct if candidate.place == "alone"]
    if on_own_line:  # a formula on a line of its own belongs to the thought that comes before the call
        possible = [candidate for candidate in on_own_line if not candidate.formula or candidate is on_own_line[-1]]
    else:
        possible = [candidate for candidate in direct if not candidate.formula] or [
            candidate for candidate in all_candidates if candidate.place == "alone"
        ]
        # `f(2)` in a sentence may be mathematics; JSON that names a function is a call.
        possible = [candidate for candidate in possible if candidate.is_json] or possible
    if not possible:
        raise broken[-1] if broken else CallError("syntax", NO_CALL)
    if len(possible) > 1:
        syntax_fault(MANY_CALLS)
    _check_place(text, possible[0])
    return possible[0]


def _check_place(text: str, found: Found) -> None:
    if found.place == "alone":
        return
    before, after = around(text, found.start, found.end)
    if _COMPUTED_BEFORE.search(before[-20:]) or COMPUTED_AFTER.match(after):
        syntax_fault(COMPUTED)
    if found.place == "amid":
        syntax_fault(_AMID)


def thought_before(text: str, start: int) -> str:
    """What stands before a call, without the marks that only introduce it; labels are kept."""
    before, _, line = text[:start].rpartition("\n")
    if match_lead(line):
        line = " ".join(_LABEL.findall(line))
    line = line.rstrip().removesuffix("print(").rstrip(" `*\"'“‘")
    thought = without_marks(_FENCE.sub("", f"{before}\n{line}\n").strip())
    for _ in range(_MAX_TAGS):
        tag = _LAST_TAG.search(thought, max(0, len(thought) - _MAX_TAG))
        if tag is None:
            break
        thought = thought[: tag.start()].rstrip()
    return thought
