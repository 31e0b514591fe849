"""Parse a reply that consists of one call: nearly all replies of a model that has learnt the syntax."""

import ast
import keyword
import re

from callwright.agent.parsing.python_call import call_from_node, parse_expression
from callwright.agent.parsing.syntax_faults import nesting_depth
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_DEPTH
from callwright.records import Call, Json

_NUMBER = r"-?(?:0|[1-9][0-9]{0,10})(?:\.[0-9]{1,3})?"  # at most 14 digits; a float keeps 15
_IDENTIFIER = r"[a-zA-Z][a-zA-Z0-9_]*"
_FLAT_ARGUMENT = re.compile(rf"(?:({_IDENTIFIER})=)?({_NUMBER})")
_FLAT = re.compile(rf"({_IDENTIFIER})\(((?:{_IDENTIFIER}=)?{_NUMBER}(?:, (?:{_IDENTIFIER}=)?{_NUMBER}){{0,7}})\)")
_ONE_LINE = re.compile(r"[A-Za-z_][\w.]*\(.*\)", re.ASCII)


def read_bare_call(text: str) -> Call | None:
    """Parse a reply that consists of one call in Python syntax, on one line; None for any other reply.

    Raises:
        CallError: an argument is not a literal, or a bound is exceeded.
    """
    return _read_flat_call(text) or _read_call_on_one_line(text)


def _read_flat_call(text: str) -> Call | None:
    """Parse a call with numbers only, such as `add(a=2, b=3)`, several times quicker than `ast`; None for others."""
    match = _FLAT.fullmatch(text) if len(text) <= MAX_CALL_CHARACTERS else None
    if match is None or keyword.iskeyword(match[1]):
        return None
    arguments: dict[str, Json] = {}
    positional_count = 0
    for name, number in _FLAT_ARGUMENT.findall(match[2]):
        if name:
            if name in arguments or keyword.iskeyword(name):
                return None
            arguments[name] = float(number) if "." in number else int(number)
        elif len(arguments) > positional_count:  # a positional argument after a named one
            return None
        else:
            arguments[str(positional_count)] = float(number) if "." in number else int(number)
            positional_count += 1
    return Call(match[1], arguments)


def _read_call_on_one_line(text: str) -> Call | None:
    text = text.strip()
    if len(text) > MAX_CALL_CHARACTERS or not (text.isascii() and text.isprintable()) or not _ONE_LINE.fullmatch(text):
        return None
    if "\\" in text or nesting_depth(text) > MAX_DEPTH:
        return None
    node = parse_expression(text)
    return call_from_node(node, text) if isinstance(node, ast.Call) and not _is_print_call(node) else None


def _is_print_call(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "print"
