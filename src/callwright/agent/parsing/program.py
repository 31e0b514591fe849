"""A reply that is Python as a whole: which call it makes. Read by `ast`, never run."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from callwright.agent.parsing.syntax import nesting_depth, parse_module
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_DEPTH
from callwright.functions.python_syntax import mask_invalid_escapes

Span = tuple[int, int]
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")  # as the parser counts them


@dataclass(frozen=True, slots=True)
class Program:
    """What a text of Python statements calls.

    Attributes:
        calls: [start, end) in characters of each call that stands as a statement, or is assigned to a name.
        computes: whether a call stands anywhere else: in a calculation, a loop, a definition.
    """

    calls: tuple[Span, ...]
    has_nested_call: bool


def read_program(text: str) -> Program | None:
    """What a text calls; None where it is no Python, or only by accident."""
    if len(text) > MAX_CALL_CHARACTERS or nesting_depth(text) > MAX_DEPTH:
        return None
    tree = parse_module(mask_invalid_escapes(text))
    if tree is None or any(map(_is_python_by_accident, map(_statement_value, tree.body))):
        return None
    calls: list[ast.Call] = []
    has_nested_call = False
    for statement in tree.body:
        call = _statement_call(statement)
        if call is not None:
            calls.append(call)
        elif isinstance(value := _statement_value(statement), ast.Tuple):
            calls += [one for one in value.elts if isinstance(one, ast.Call)]
        elif not _is_print_of_name(statement):
            has_nested_call = has_nested_call or any(isinstance(node, ast.Call) for node in ast.walk(statement))
    counted = [call for call in calls if call is calls[-1] or not _has_only_names(call)]
    direct = [call for call in counted if not _has_space_before_bracket(call)]
    return Program(tuple(_spans(text, direct or counted)), has_nested_call)


def _is_python_by_accident(value: ast.expr | None) -> bool:
    """JSON (also in a list: `- {...}`), tags in brackets, a call in quotes: Python by accident."""
    if isinstance(value, ast.UnaryOp) and isinstance(value.operand, ast.Dict):
        return True
    if isinstance(value, ast.Constant):
        return isinstance(value.value, str)
    return isinstance(value, ast.Dict | ast.List | ast.Subscript)


def _statement_value(statement: ast.stmt) -> ast.expr | None:
    match statement:
        case ast.AnnAssign(value=None):
            return statement.annotation  # `Call: add(2, 3)`
        case ast.Expr() | ast.Assign() | ast.AnnAssign() | ast.Return():
            return statement.value
        case _:
            return None


def _statement_call(statement: ast.stmt) -> ast.Call | None:
    value = _statement_value(statement)
    match value:  # `- add(2, 3)`, `* add(2, 3)`: a list
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=marked) | ast.Starred(value=marked):
            value = marked if marked.col_offset > value.col_offset + 1 else value
        case ast.BinOp(left=ast.Call() as commented, op=ast.FloorDiv(), right=ast.Name()):
            value = commented  # `add(2, 3)  // sum`
    if not isinstance(value, ast.Call) or _is_print_of_name(statement):
        return None
    match value:
        case ast.Call(func=ast.Name(id="print"), args=[ast.Call() as inner], keywords=[]):
            return inner
        case _:
            return value


def _is_print_of_name(statement: ast.stmt) -> bool:
    """`print(x)`."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[ast.Name()], keywords=[])):
            return True
        case _:
            return False


def _has_only_names(call: ast.Call) -> bool:
    """`Dog(rex)`: nothing but names."""
    return bool(call.args) and not call.keywords and all(isinstance(one, ast.Name) for one in call.args)


def _has_space_before_bracket(call: ast.Call) -> bool:
    """`Apples (3)`: a remark in brackets, where another call stands."""
    first = call.args[0] if len(call.args) == 1 and not call.keywords else None
    after_name = call.func.end_col_offset
    return first is not None and after_name is not None and first.col_offset > after_name + 1


def _spans(text: str, calls: list[ast.Call]) -> Iterator[Span]:
    lines = _LINE.findall(text)
    for call in calls:
        assert call.end_lineno is not None and call.end_col_offset is not None
        yield (
            _character_index(lines, call.lineno, call.col_offset),
            _character_index(lines, call.end_lineno, call.end_col_offset),
        )


def _character_index(lines: list[str], number: int, column: int) -> int:
    """A place in characters; the parser counts lines from 1 and columns in UTF-8 bytes."""
    return sum(map(len, lines[: number - 1])) + len(lines[number - 1].encode()[:column].decode())
