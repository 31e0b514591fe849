"""From a model's reply to a call, read as data. Nothing here evaluates anything."""

import ast
import re
import warnings
from decimal import Decimal
from typing import NoReturn

from callwright.errors import CallError
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_DEPTH, MAX_ITEMS
from callwright.records import Call, Json

_FENCE = re.compile(r"^```\w*\s*$", re.MULTILINE)
_CALL_LINE = re.compile(r"^[A-Za-z_][\w.]*\(.*\)$", re.DOTALL)
_QUOTED = re.compile(r"""("[^"]*"|'[^']*')""")
_EXAMPLE = "write one call on the last line, like add(a=2, b=3)"


def _syntax(message: str) -> NoReturn:
    raise CallError("syntax", message)


def split_reply(text: str) -> tuple[str, str]:
    """The thought and the call of a reply: the call is its last line that is not empty, code fences aside.

    >>> split_reply("Two and three first.\\n```python\\nadd(a=2, b=3)\\n```")
    ('Two and three first.', 'add(a=2, b=3)')
    """
    if "\n" not in text:
        return "", text.strip()
    thought, _, call = _FENCE.sub("", text).strip().rpartition("\n")
    return thought.strip(), call.strip()


def parse_call(text: str) -> Call | CallError:
    """The one call of a model's reply, or what is wrong with it.

    Dotted names, positional and keyword arguments, literals only: numbers (also negative, and p/q), strings, booleans,
    None, lists, dicts with text keys. A fraction p/q of integers is kept as the string "p/q", so it stays exact.

    >>> parse_call("add(2, b=-3)")
    Call(name='add', arguments={'0': 2, 'b': -3})
    >>> parse_call("add(subtract(5, 3), 2)")
    CallError('an argument must be a plain value: call subtract first, then use its result')
    """
    thought, call = split_reply(text)
    try:
        if any(_CALL_LINE.match(line.strip()) for line in thought.split("\n") if line):
            _syntax(f"only one call in a reply; {_EXAMPLE}")
        return _read(call)
    except CallError as error:
        return error


def _read(text: str) -> Call:
    if len(text) > MAX_CALL_CHARACTERS:
        _syntax(f"the call is longer than {MAX_CALL_CHARACTERS} characters")
    if _depth(text) > MAX_DEPTH:
        _syntax(f"brackets are nested deeper than {MAX_DEPTH}")
    text = _with_ascii_minus(text)
    node = _parse(text)
    if not isinstance(node, ast.Call):
        _syntax(f"no function call was found; {_EXAMPLE}")
    if len(node.args) + len(node.keywords) > MAX_ITEMS:
        _syntax(f"more than {MAX_ITEMS} arguments")
    arguments: dict[str, Json] = {}
    for place, argument in enumerate(node.args):
        arguments[str(place)] = _literal(argument, text)
    for keyword in node.keywords:
        if keyword.arg is None:
            _syntax(f"** is not allowed; {_EXAMPLE}")
        if keyword.arg in arguments:
            _syntax(f"the argument {keyword.arg[:40]} is given twice")
        arguments[keyword.arg] = _literal(keyword.value, text)
    return Call(_name(node.func), arguments)


def _parse(text: str) -> ast.expr:
    try:
        if "\\" in text:  # an odd escape in a string makes the parser warn
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                warnings.simplefilter("ignore", DeprecationWarning)
                return ast.parse(text, mode="eval").body
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        _syntax(f"no function call could be read; {_EXAMPLE}")


def _with_ascii_minus(text: str) -> str:
    """The typographic minus that models write, as the one that is read; quoted text stays."""
    if "−" not in text:
        return text
    return "".join(part if part[:1] in ("'", '"') else part.replace("−", "-") for part in _QUOTED.split(text))


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest


def _name(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or any(part.startswith("__") for part in [*parts, node.id]):
        _syntax(f"a call starts with a function's name; {_EXAMPLE}")
    return ".".join([node.id, *reversed(parts)])


def _literal(node: ast.expr, text: str) -> Json:
    match node:
        case ast.Constant(value=str() as string):
            return _storable(string)
        case ast.Constant(value=bool() | int() | None):
            return node.value
        case ast.Constant(value=float()):
            return _decimal(node, text)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float())):
            value = _literal(node.operand, text)
            if isinstance(value, bool):
                _syntax("a sign needs a number")
            return -value if isinstance(node.op, ast.USub) else value
        case ast.BinOp(op=ast.Div()):
            return f"{_whole(node.left, text)}/{_whole(node.right, text)}"
        case ast.List(elts=items) | ast.Tuple(elts=items):
            _bound_items(items)
            return [_literal(item, text) for item in items]
        case ast.Dict(keys=keys, values=values):
            _bound_items(values)
            return {_key(key): _literal(value, text) for key, value in zip(keys, values, strict=True)}
        case ast.Call(func=ast.Name(id=name)):
            _syntax(f"an argument must be a plain value: call {name} first, then use its result")
        case ast.Name(id=name):
            _syntax(f"an argument must be a plain value, not the name {name[:40]}; quote text, write numbers out")
        case _:
            _syntax(f"an argument must be a plain value; {_EXAMPLE}")


def _storable(string: str) -> str:
    try:
        string.encode()
    except UnicodeEncodeError:
        _syntax("a text holds half a character (a lone surrogate)")
    return string


def _decimal(node: ast.Constant, text: str) -> float:
    assert isinstance(node.value, float)
    written = ast.get_source_segment(text, node) or ""
    try:
        exact = Decimal(written.replace("_", "")) == Decimal(repr(node.value))
    except ArithmeticError:
        exact = False
    if not exact:  # a float would silently be another number
        _syntax(f"the number {written[:30]} has too many digits; write a fraction p/q")
    return node.value


def _whole(node: ast.expr, text: str) -> int:
    value = _literal(node, text) if isinstance(node, ast.Constant | ast.UnaryOp) else None
    if not isinstance(value, int) or isinstance(value, bool):
        _syntax("a fraction is written p/q with whole numbers; for other divisions call divide")
    return value


def _bound_items(items: list[ast.expr]) -> None:
    if len(items) > MAX_ITEMS:
        _syntax(f"a list or dict of more than {MAX_ITEMS} items")


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _storable(node.value)
    _syntax("the keys of a dict must be quoted text")
