"""One call's text in Python syntax as data, by `ast`. Nothing here evaluates anything."""

import ast
import keyword
import re
from decimal import Decimal
from typing import Any, NoReturn

from callwright.errors import CallError
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_DEPTH, MAX_ITEMS
from callwright.functions.literal import escape_unprintable
from callwright.functions.python_syntax import double_invalid_escapes, parse_python
from callwright.records import Call, Json

CALL_ADVICE = "write one call on the last line, like add(a=2, b=3)"
NO_CALL_MESSAGE = f"no function call was found; {CALL_ADVICE}"
MANY_CALLS_MESSAGE = f"only one call in a reply; {CALL_ADVICE}"
COMPUTED_MESSAGE = f"a call stands alone, with nothing calculated around it; {CALL_ADVICE}"
# Groups repeat within (?>...), nowhere possessively: before Python 3.11.5 (gh-106052) that takes in half a repetition.
STRING_PATTERN = r"""\"(?>(?:[^"\\\n]|\\.)*)\"|'(?>(?:[^'\\\n]|\\.)*)'"""
CURLY_STRING_PATTERN = r"[“”„][^“”„\n]*+[“”]|[‘’][^‘’\n]*+[‘’]"
CALCULATION_AFTER = re.compile(r"\s*(?:[-+*/%^−]|\*\*)\s*(?:\d|[A-Za-z_][\w.]*\()|[(\[]|\.\w")

_STRINGS = re.compile(f"({STRING_PATTERN})|({CURLY_STRING_PATTERN})")
_MINUS_SIGNS = str.maketrans("−–‐‑－", "-----")
_GROUPED = re.compile(r"(?<![\w.])\d{1,3}(?>(?:,\d{3})+)(?!\d)")  # 1,200: one number, or two?
_SPACED_COMMA = re.compile(r",\s")
# `f(from=1)` and `a.import(1)` are no Python, but APIs have such names: they are marked, and the mark is cut later.
_KEYWORD_SUFFIX = "_is_no_keyword"
_KEYWORDS = "|".join(keyword.kwlist)
_KEYWORD = re.compile(
    rf"{STRING_PATTERN}|(?P<before>[(,]\s*)(?P<parameter>{_KEYWORDS})(?=\s*=(?!=))|(?P<dot>\A|\.)(?P<part>{_KEYWORDS})(?=[(.])"
)
_JSON_NAMES = {"true": True, "false": False, "null": None}


def raise_syntax_fault(message: str) -> NoReturn:
    """Raise what is wrong with a reply as the model is shown it: one printable line."""
    raise CallError("syntax", escape_unprintable(message))


def parse_module(text: str) -> ast.Module | None:
    """The statements that a text is, None where it is no Python. Quick within MAX_CALL_CHARACTERS and MAX_DEPTH."""
    try:
        tree = parse_python(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree if isinstance(tree, ast.Module) else None


def parse_expression(text: str) -> ast.expr | None:
    """The expression that a text is, None where it is none."""
    match parse_module(text):
        case ast.Module(body=[ast.Expr(value=value)]):
            return value
        case _:
            return None


def read_python(text: str) -> Call:
    """The call that a text in Python syntax is, from its name to its closing bracket.

    Raises:
        CallError: it is not one call of literals, or exceeds a bound.
    """
    check_bounds(text)
    text = double_invalid_escapes(plain(text))
    node, renamed = parse_expression(text), ""
    if node is None:
        renamed = _KEYWORD.sub(_add_keyword_suffix, text)
        node = parse_expression(renamed)
    if not isinstance(node, ast.Call):
        _reject_grouped_number(text, is_python=False)
        name = text.partition("(")[0].strip()[:40]
        raise_syntax_fault(
            f"the arguments of {name} could not be read; write numbers plainly and text in quotes, like add(a=2, b=3)"
        )
    return call_from_node(node, renamed or text)


def _add_keyword_suffix(match: re.Match[str]) -> str:
    return f"{match[0]}{_KEYWORD_SUFFIX}" if match["parameter"] or match["part"] else match[0]


def check_bounds(text: str) -> None:
    """Bounds that hold before anything is parsed."""
    if len(text) > MAX_CALL_CHARACTERS:
        raise_syntax_fault(f"the call is longer than {MAX_CALL_CHARACTERS} characters")
    if nesting_depth(text) > MAX_DEPTH:
        raise_syntax_fault(f"brackets are nested deeper than {MAX_DEPTH}")


def nesting_depth(text: str) -> int:
    """How deep brackets are nested, those in quoted text included; an upper bound where there are few."""
    opening = text.count("(") + text.count("[") + text.count("{")
    if opening <= MAX_DEPTH:
        return opening
    level = deepest = 0
    for character in text:
        if character in "([{":
            level += 1
            deepest = max(deepest, level)
        elif character in ")]}":
            level -= 1
    return deepest


def plain(text: str) -> str:
    """The text with typographic minus signs and quotes as Python has them; quoted text stays as it is."""
    if text.isascii():
        return text
    pieces = []
    end = 0
    for match in _STRINGS.finditer(text):
        pieces.append(text[end : match.start()].translate(_MINUS_SIGNS))
        pieces.append(match[1] or repr(match[2][1:-1]))
        end = match.end()
    pieces.append(text[end:].translate(_MINUS_SIGNS))
    return "".join(pieces)


def call_from_node(node: ast.Call, text: str) -> Call:
    """The call that a node of `text` is.

    Raises:
        CallError: an argument is not a literal, or a bound is exceeded.
    """
    arguments: dict[str, Json] = {}
    name = _function_name(node.func)
    if len(node.args) + len(node.keywords) > MAX_ITEMS:
        raise_syntax_fault(f"more than {MAX_ITEMS} arguments")
    if "," in text:
        _reject_grouped_number(text)
    for index, argument in enumerate(node.args):
        arguments[str(index)] = literal(argument, text)
    for keyword_argument in node.keywords:
        if keyword_argument.arg is None:
            raise_syntax_fault(f"** is not allowed; {CALL_ADVICE}")
        parameter = keyword_argument.arg.removesuffix(_KEYWORD_SUFFIX)
        if parameter in arguments:
            raise_syntax_fault(f"the argument {parameter[:40]} is given twice")
        arguments[parameter] = literal(keyword_argument.value, text)
    return Call(name, arguments)


def _reject_grouped_number(text: str, is_python: bool = True) -> None:
    """`add(1,200, 3)`: by its spaces 1,200 is one number, by Python's rules two. `add(a=1,200)` is not even Python."""
    grouped = _GROUPED.search(text)
    if grouped is None:
        return
    without_strings = _STRINGS.sub("''", text)
    grouped = _GROUPED.search(without_strings)
    if grouped and (not is_python or _SPACED_COMMA.search(without_strings)):
        raise_syntax_fault(f"{grouped[0][:30]} may be one number or several; write {grouped[0][:30].replace(',', '')}")


def _function_name(node: ast.expr) -> str:
    if type(node) is ast.Name and not node.id.startswith("__"):
        return node.id
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or any(part.startswith("__") for part in [*parts, node.id]):
        raise_syntax_fault(f"a call starts with a function's name; {CALL_ADVICE}")
    return ".".join(part.removesuffix(_KEYWORD_SUFFIX) for part in [node.id, *reversed(parts)])


def literal(node: ast.expr, text: str) -> Json:
    """The value of a node of `text`, which has to be a literal.

    Raises:
        CallError: it is not.
    """
    match node:
        case ast.Constant(value=str() as string):
            return storable(string)
        case ast.Constant(value=bool() | int() | None):
            return node.value
        case ast.Constant(value=float()):
            return exact_float(_source_text(node, text))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float())):
            value = literal(node.operand, text)
            if isinstance(value, bool):
                raise_syntax_fault("a sign needs a number")
            return -value if isinstance(node.op, ast.USub) else value
        case ast.BinOp(op=ast.Div()):
            return f"{_integer(node.left, text)}/{_integer(node.right, text)}"
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return check_item_count([literal(item, text) for item in items])
        case ast.Dict(keys=keys, values=values):
            return _dict_without_duplicates(
                [
                    (_dict_key(key), literal(value, text))
                    for key, value in zip(keys, check_item_count(values), strict=True)
                ]
            )
        case ast.Call(func=ast.Name(id=name)):
            raise_syntax_fault(f"an argument must be a plain value: call {name[:40]} first, then use its result")
        case ast.Name(id=name) if name in _JSON_NAMES:
            return _JSON_NAMES[name]
        case ast.Name(id=name):
            raise_syntax_fault(
                f"an argument must be a plain value, not the name {name[:40]}; quote text, write numbers out"
            )
        case _:
            raise_syntax_fault(f"an argument must be a plain value; {CALL_ADVICE}")


def _source_text(node: ast.expr, text: str) -> str:
    if node.lineno == 1 and text.isascii():  # columns count bytes
        return text[node.col_offset : node.end_col_offset]
    return ast.get_source_segment(text, node) or ""


def storable(string: str) -> str:
    """The string, which has to be whole Unicode."""
    if string.isascii():
        return string
    try:
        string.encode()
    except UnicodeEncodeError:
        raise_syntax_fault("a text holds half a character (a lone surrogate)")
    return string


def exact_float(written: str) -> float:
    """The number as a float, which has to be exactly what is written."""
    value = float(written)
    try:
        exact = Decimal(written.replace("_", "")) == Decimal(repr(value))
    except ArithmeticError:
        exact = False
    if not exact:  # a float would silently be another number
        raise_syntax_fault(f"the number {written[:30]} has too many digits; write a fraction p/q")
    return value


def _integer(node: ast.expr, text: str) -> int:
    value = literal(node, text) if isinstance(node, ast.Constant | ast.UnaryOp) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise_syntax_fault("a fraction is written p/q with whole numbers; for other divisions call divide")
    return value


def check_item_count(items: list[Any]) -> list[Any]:
    """The items, which have to be at most MAX_ITEMS."""
    if len(items) > MAX_ITEMS:
        raise_syntax_fault(f"a list or dict of more than {MAX_ITEMS} items")
    return items


def _dict_without_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise_syntax_fault("a dict names something twice")
    return value


def _dict_key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return storable(node.value)
    raise_syntax_fault("the keys of a dict must be quoted text")
