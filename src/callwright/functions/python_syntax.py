r"""Parse a model's text with Python's parser, without running it and without printing warnings.

The parser warns about an invalid escape (`'\d'`) and about a number directly before a word (`1if`). Suppressing these
with `warnings.catch_warnings` would change the state of the whole process, which is not safe while several threads
parse. Instead, one filter, set at import, ignores warnings about the file name that is used here. Callers that must
behave the same under `-W error` double invalid escapes first (`double_invalid_escapes`).
"""

import ast
import re
import threading
import warnings
from typing import Literal

_FILE = "<text of a model>"
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_VALID_ESCAPES = frozenset("\\'\"\n\rabfnrtvxNuU01234567")
_RAW_STRING = re.compile(r"(?:\b|(?<=[bBfF]))[rR][bBfF]?['\"]")
_MASK = "$"  # never occurs in Python code, and has no special meaning in a string

_PARSER = threading.Lock()  # CPython 3.11 counts the depth of a tree for all threads together, and may then refuse it

warnings.filterwarnings("ignore", module=re.escape(_FILE))


def parse_python(text: str, mode: Literal["exec", "eval"] = "exec") -> ast.AST:
    """Parse a text to a syntax tree: a Module for `exec`, an Expression for `eval`.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: the text is not Python, or is nested too deeply.
    """
    with _PARSER:
        return ast.parse(text, filename=_FILE, mode=mode)


def double_invalid_escapes(text: str) -> str:
    r"""Double the backslash of every invalid escape, which keeps the meaning: `'\d'` becomes `'\\d'`.

    >>> print(double_invalid_escapes(r"say('\d and \n')"))
    say('\\d and \n')
    """
    if "\\" not in text or _RAW_STRING.search(text):
        return text
    return _ESCAPE.sub(lambda match: match[0] if _is_valid_escape(match) else f"\\\\{match[1]}", text)


def mask_invalid_escapes(text: str) -> str:
    r"""Replace the backslash of every invalid escape by a mask. All other characters keep their positions.

    >>> print(mask_invalid_escapes(r"say('\d and \n')"))
    say('$d and \n')
    """
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: match[0] if _is_valid_escape(match) else f"{_MASK}{match[1]}", text)


def _is_valid_escape(match: re.Match[str]) -> bool:
    return match[1] in _VALID_ESCAPES
