"""The hash of what functions compute, as far as their own source says it."""

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
    """The same while the functions' syntax trees are: comments, layout and the Python that runs them do not count."""
    sources = [_source(function) for function in toolbox.functions.values()]
    return hashlib.sha256("\n".join(sources).encode()).hexdigest()


def _source(function: Function) -> str:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function.python)))
    except (OSError, TypeError, SyntaxError):  # made at run time: its signature and example are in the prompt
        return ""
    return json.dumps(_plain(tree))


def _plain(node: Any) -> Any:
    """A syntax tree as plain data, without what is empty: versions of Python differ in which empty fields they have.

    `ast.unparse` and `ast.dump` write one tree otherwise in each version.
    """
    match node:
        case ast.AST():
            fields = {name: _plain(value) for name, value in ast.iter_fields(node)}
            kept = {name: value for name, value in fields.items() if value not in (None, [])}
            return [type(node).__name__, kept]
        case list():
            return [_plain(one) for one in node]
        case None:
            return None
        case _:
            return f"{type(node).__name__} {node!r}"  # a name, or a constant's value: 1 is not 1.0, nor True
