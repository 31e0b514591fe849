"""Find the calls of a reply that is Python code as a whole. It is parsed with `ast` and never run."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from callwright.agent.parsing.python_call import parse_module
from callwright.agent.parsing.syntax_faults import nesting_depth
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_DEPTH
from callwright.functions.python_syntax import mask_invalid_escapes

Span = tuple[int, int]
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")  # lines as the parser counts them


@dataclass(frozen=True, slots=True)
class Program:
    """The calls of a text of Python statements.

    Attributes:
        calls: [start, end) in characters of each call that is a statement, or is assigned to a name.
        has_nested_call: whether there is a call anywhere else: in a calculation, a loop, a definition.
    """

    calls: tuple[Span, ...]
    has_nested_call: bool


def read_program(text: str) -> Program | None:
    """Find the calls of a text; None if the text is not Python, or is valid Python only by coincidence."""
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
            calls += [element for element in value.elts if isinstance(element, ast.Call)]
        elif not _is_print_of_name(statement):
            has_nested_call = has_nested_call or any(isinstance(node, ast.Call) for node in ast.walk(statement))
    # `Dog(rex)` is the call if it is the last one; before that it may be a formula of the thought.
    intended = [call for call in calls if call is calls[-1] or not _has_only_names(call)]
    unspaced = [call for call in intended if not _has_space_before_bracket(call)]
    return Program(tuple(_spans(text, unspaced or intended)), has_nested_call)


def _is_python_by_accident(value: ast.expr | None) -> bool:
    """Whether a value is JSON (also as a list item: `- {...}`), a tag in brackets, or a call in quotes."""
    if isinstance(value, ast.UnaryOp) and isinstance(value.operand, ast.Dict):
        return True
    if isinstance(value, ast.Constant):
        return isinstance(value.value, str)
    return isinstance(value, ast.Dict | ast.List | ast.Subscript)


def _statement_value(statement: ast.stmt) -> ast.expr | None:
    """The value that a statement evaluates, assigns or returns; None for other statements."""
    match statement:
        case ast.AnnAssign(value=None):
            return statement.annotation  # `Call: add(2, 3)`, where Call is a label
        case ast.Expr() | ast.Assign() | ast.AnnAssign() | ast.Return():
            return statement.value
        case _:
            return None


def _statement_call(statement: ast.stmt) -> ast.Call | None:
    """The call that a statement makes, also within `print(...)`; None if it makes no call or calculates with it."""
    value = _statement_value(statement)
    match value:
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=list_item) | ast.Starred(value=list_item):
            value = list_item if list_item.col_offset > value.col_offset + 1 else value  # `- add(2, 3)`, `* add(2, 3)`
        case ast.BinOp(left=ast.Call() as commented_call, op=ast.FloorDiv(), right=ast.Name()):
            value = commented_call  # `add(2, 3)  // sum`
    if not isinstance(value, ast.Call) or _is_print_of_name(statement):
        return None
    match value:
        case ast.Call(func=ast.Name(id="print"), args=[ast.Call() as inner], keywords=[]):
            return inner
        case _:
            return value


def _is_print_of_name(statement: ast.stmt) -> bool:
    """Whether a statement is `print(x)`."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[ast.Name()], keywords=[])):
            return True
        case _:
            return False


def _has_only_names(call: ast.Call) -> bool:
    """Whether a call's arguments are all names, as in `Dog(rex)`."""
    return bool(call.args) and not call.keywords and all(isinstance(argument, ast.Name) for argument in call.args)


def _has_space_before_bracket(call: ast.Call) -> bool:
    """Whether a call looks like a word and a remark, as in `Apples (3)`."""
    argument = call.args[0] if len(call.args) == 1 and not call.keywords else None
    name_end = call.func.end_col_offset
    return argument is not None and name_end is not None and argument.col_offset > name_end + 1


def _spans(text: str, calls: list[ast.Call]) -> Iterator[Span]:
    lines = _LINE.findall(text)
    for call in calls:
        assert call.end_lineno is not None and call.end_col_offset is not None
        yield (
            _character_index(lines, call.lineno, call.col_offset),
            _character_index(lines, call.end_lineno, call.end_col_offset),
        )


def _character_index(lines: list[str], line_number: int, column: int) -> int:
    """Convert a position of the parser, which counts lines from 1 and columns in UTF-8 bytes, to a character index."""
    return sum(map(len, lines[: line_number - 1])) + len(lines[line_number - 1].encode()[:column].decode())
