"""Native calls that a model wrote as text, in the markup of its chat template, read back as tool calls.

A table, tried in order: `<tool_call>` blocks with JSON (Qwen, Hermes) or tags (Qwen 3.5, Nemotron, GLM), Mistral's
`[TOOL_CALLS]`, LFM's list of Python calls, and bare JSON objects (Llama, the embedded student). A server that knows
its model's markup answers with tool calls, and a tokenizer that knows it parses them (`LocalChat`); this is for all
others. Whatever does not read whole is left as text.
"""

import ast
import json
import re
from collections.abc import Callable
from json import JSONDecodeError, JSONDecoder

from callwright.agent.syntax import call_of, check_bounds, parse_expression, plain
from callwright.chat.model import ToolCall
from callwright.errors import CallError

Written = tuple[ToolCall, ...]

_BLOCK = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_FUNCTION = re.compile(r"<function=([^>\n]+)>(.*?)(?:</function>|$)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([^>\n]+)>\n?(.*?)\n?</parameter>", re.DOTALL)
_GLM = re.compile(r"(\w[\w.-]*)\s*((?:<arg_key>.*)?)", re.DOTALL)
_GLM_PAIR = re.compile(r"<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>", re.DOTALL)
_MISTRAL = "[TOOL_CALLS]"
_MISTRAL_NAMED = re.compile(r"(\w[\w.-]*)(?:\[CALL_ID\]\w+)?(?:\[ARGS\])?(?=\{)")
_LISTED = re.compile(r"<\|tool_call_start\|>(.*?)(?:<\|tool_call_end\|>|\Z)\s*", re.DOTALL)
_PYTHON_TAG = "<|python_tag|>"
_OPENING = re.compile(
    r'\{\s*(?:"type"\s*:\s*"function"\s*,\s*)?"name"\s*:\s*("[^"\\]*")\s*,\s*"(?:arguments|parameters)"\s*:\s*'
)
_MAX_CHARACTERS = 20_000


def written_calls(text: str) -> tuple[str, Written]:
    """The thought and the calls of a reply; the whole text and no call where there is none, or one does not read.

    >>> written_calls('So.\\n<tool_call>\\n{"name": "add", "arguments": {"a": 2, "b": 0.5}}\\n</tool_call>')
    ('So.', (ToolCall(name='add', arguments='{"a": 2, "b": 0.5}'),))
    """
    if len(text) > _MAX_CHARACTERS:
        return text, ()
    for reader in _READERS:
        found = reader(text)
        if found is not None:
            thought, calls = found
            return thought.strip(), calls
    return text, ()


def _blocks(text: str) -> tuple[str, Written] | None:
    thought, mark, rest = text.partition("<tool_call>")
    if not mark or _BLOCK.sub("", mark + rest).strip():
        return None
    calls = [_block(body.strip()) for body in _BLOCK.findall(mark + rest)]
    read = tuple(call for call in calls if call)
    return (thought, read) if len(read) == len(calls) else None


def _block(body: str) -> ToolCall | None:
    if body.startswith("{"):
        calls = _objects(body)
        return calls[0] if len(calls) == 1 else None
    if tagged := _FUNCTION.fullmatch(body):
        return _tagged(tagged[1], _PARAMETER.findall(tagged[2]))
    named = _GLM.fullmatch(body)
    return _tagged(named[1], _GLM_PAIR.findall(named[2])) if named else None


def _tagged(name: str, pairs: list[tuple[str, str]]) -> ToolCall:
    """Values between tags are JSON where they read as JSON (numbers, lists, ...), else text."""
    return ToolCall(name.strip(), json.dumps({key.strip(): _value(value) for key, value in pairs}, ensure_ascii=False))


def _value(written: str) -> object:
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        return written
    return written if isinstance(value, float) else value  # a function that takes a number reads its text exactly


def _mistral(text: str) -> tuple[str, Written] | None:
    thought, mark, rest = text.partition(_MISTRAL)
    if not mark:
        return None
    rest = rest.strip()
    if rest.startswith("["):
        calls = _objects(rest.removeprefix("[").removesuffix("]"))
        return (thought, calls) if calls else None
    named = [_mistral_named(part.strip()) for part in rest.split(_MISTRAL)]
    read = tuple(call for call in named if call)
    return (thought, read) if len(read) == len(named) else None


def _mistral_named(part: str) -> ToolCall | None:
    head = _MISTRAL_NAMED.match(part)
    return ToolCall(head[1], part[head.end() :]) if head and _end(part, head.end()) == len(part) else None


def _listed(text: str) -> tuple[str, Written] | None:
    thought, mark, rest = text.partition("<|tool_call_start|>")
    block = _LISTED.fullmatch(mark + rest) if mark else None
    if block is None:
        return None
    try:
        check_bounds(block[1])
        written = plain(block[1].strip())
        listed = parse_expression(written)
        if not isinstance(listed, ast.List) or not listed.elts:
            return None
        calls = [call_of(one, written) for one in listed.elts if isinstance(one, ast.Call)]
    except CallError:
        return None
    read = tuple(ToolCall(one.name, json.dumps(one.arguments, ensure_ascii=False)) for one in calls)
    return (thought, read) if len(read) == len(listed.elts) else None


def _bare(text: str) -> tuple[str, Written] | None:
    opening = _OPENING.search(text)
    if not opening:
        return None
    calls = _objects(text[opening.start() :])
    return (text[: opening.start()].removesuffix(_PYTHON_TAG), calls) if calls else None


def _objects(text: str) -> Written:
    """JSON objects one after another, `,` or `;` between them, each a name with arguments; nothing else."""
    calls: list[ToolCall] = []
    place = 0
    while place < len(text):
        opening = _OPENING.match(text, place)
        end = _end(text, opening.end()) if opening else None
        if opening is None or end is None:
            return ()
        closing = re.compile(r"\s*\}\s*[,;]?\s*").match(text, end)
        if closing is None:
            return ()
        calls.append(ToolCall(json.loads(opening[1]), text[opening.end() : end]))
        place = closing.end()
    return tuple(calls)


def _end(text: str, start: int) -> int | None:
    """Where the JSON value that begins at `start` ends; None where there is none."""
    try:
        return JSONDecoder().raw_decode(text, start)[1]
    except (JSONDecodeError, RecursionError, ValueError):
        return None


_READERS: tuple[Callable[[str], tuple[str, Written] | None], ...] = (_blocks, _mistral, _listed, _bare)
