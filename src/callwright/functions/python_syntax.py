r"""Python's own parser for text that a model wrote. It never runs the text, and it prints no warnings about it.

The parser warns about an odd escape (`'\d'`) and about a number that runs into a word (`1if`). Hiding that with
`warnings.catch_warnings` changes the state of the whole process, which is not safe where several threads parse. Here
one filter, set once, ignores what the parser says about a file of this name. A caller whose reading must not change
when somebody turns all warnings into errors writes odd escapes out first (`double_invalid_escapes`).
"""

import ast
import re
import warnings
from typing import Literal

_FILE = "<text of a model>"
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_VALID_ESCAPES = frozenset("\\'\"\n\rabfnrtvxNuU01234567")
_RAW_STRING = re.compile(r"(?:\b|(?<=[bBfF]))[rR][bBfF]?['\"]")
_MASK = "$"  # never occurs in Python code, and has no special meaning in a string

warnings.filterwarnings("ignore", module=re.escape(_FILE))


def parse_python(text: str, mode: Literal["exec", "eval"] = "exec") -> ast.AST:
    """The syntax tree of a text: a Module for `exec`, an Expression for `eval`.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: the text is no Python, or nests too deep.
    """
    return ast.parse(text, filename=_FILE, mode=mode)


def double_invalid_escapes(text: str) -> str:
    r"""The text with every odd escape written as Python reads it: `'\d'` as `'\\d'`.

    >>> print(double_invalid_escapes(r"say('\d and \n')"))
    say('\\d and \n')
    """
    if "\\" not in text or _RAW_STRING.search(text):
        return text
    return _ESCAPE.sub(lambda match: match[0] if _is_valid_escape(match) else f"\\\\{match[1]}", text)


def mask_invalid_escapes(text: str) -> str:
    r"""The text with the backslash of every odd escape replaced: the same code, with every character where it was.

    >>> print(mask_invalid_escapes(r"say('\d and \n')"))
    say('$d and \n')
    """
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: match[0] if _is_valid_escape(match) else f"{_MASK}{match[1]}", text)


def _is_valid_escape(match: re.Match[str]) -> bool:
    return match[1] in _VALID_ESCAPES
