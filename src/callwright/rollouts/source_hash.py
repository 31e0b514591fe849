"""Hash functions by their own source code."""

import ast
import hashlib
import inspect
import json
import textwrap
from functools import cache
from typing import Any

from callwright.functions.function import Function
from callwright.functions.toolbox import Toolbox


@cache
def functions_hash(toolbox: Toolbox) -> str:
    """A hash of the functions' syntax trees; comments, layout and the version of Python do not change it."""
    sources = [_source(function) for function in toolbox.functions.values()]
    return hashlib.sha256("\n".join(sources).encode()).hexdigest()


def _source(function: Function) -> str:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function.python)))
    except (OSError, TypeError, SyntaxError):  # made at run time: its signature and example are in the prompt
        return ""
    return json.dumps(_to_plain_data(tree))


def _to_plain_data(node: Any) -> Any:
    """A syntax tree as plain data, without empty fields, which differ between versions of Python.

    `ast.unparse` and `ast.dump` write the same tree differently in each version.
    """
    match node:
        case ast.AST():
            fields = {name: _to_plain_data(value) for name, value in ast.iter_fields(node)}
            filled = {name: value for name, value in fields.items() if value not in (None, [])}
            return [type(node).__name__, filled]
        case list():
            return [_to_plain_data(item) for item in node]
        case None:
            return None
        case _:
            return f"{type(node).__name__} {node!r}"  # a name, or a constant's value: 1 is not 1.0, nor True
