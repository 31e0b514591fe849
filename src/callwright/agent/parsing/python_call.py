"""Parse a call in Python syntax into data, with `ast`. Nothing is evaluated."""

import ast
import keyword
import re

from callwright.agent.parsing.syntax_faults import (
    CALL_ADVICE,
    EXAMPLE_CALL,
    check_bounds,
    check_item_count,
    exact_float,
    require_valid_unicode,
    syntax_fault,
)
from callwright.functions.guard import MAX_ITEMS
from callwright.functions.literal import MAX_NAME_CHARACTERS
from callwright.functions.python_syntax import double_invalid_escapes, parse_python
from callwright.records import Call, Json

# Groups repeat within (?>...), nowhere possessively: before Python 3.11.5 (gh-106052) that takes in half a repetition.
STRING_PATTERN = r"""\"(?>(?:[^"\\\n]|\\.)*)\"|'(?>(?:[^'\\\n]|\\.)*)'"""
CURLY_STRING_PATTERN = r"[“”„][^“”„\n]*+[“”]|[‘’][^‘’\n]*+[‘’]"
CALCULATION_AFTER = re.compile(r"\s*(?:[-+*/%^−]|\*\*)\s*(?:\d|[A-Za-z_][\w.]*\()|[(\[]|\.\w")

_STRINGS = re.compile(f"({STRING_PATTERN})|({CURLY_STRING_PATTERN})")
_MINUS_SIGNS = str.maketrans("−–‐‑－", "-----")
_GROUPED = re.compile(r"(?<![\w.])\d{1,3}(?>(?:,\d{3})+)(?!\d)")  # 1,200: one number or two
_SPACED_COMMA = re.compile(r",\s")
# Python cannot parse `f(from=1)` or `a.import(1)`, but APIs have such names. These get a suffix, which is removed from
# the parsed call.
_KEYWORD_SUFFIX = "_is_no_keyword"
_KEYWORDS = "|".join(keyword.kwlist)
_KEYWORD = re.compile(
    rf"{STRING_PATTERN}|(?P<before>[(,]\s*)(?P<parameter>{_KEYWORDS})(?=\s*=(?!=))|(?P<dot>\A|\.)(?P<part>{_KEYWORDS})(?=[(.])"
)
_JSON_NAMES = {"true": True, "false": False, "null": None}


def parse_module(text: str) -> ast.Module | None:
    """Parse Python statements; None if the text is not Python.

    Quick for texts within MAX_CALL_CHARACTERS and MAX_DEPTH, which the caller checks.
    """
    try:
        tree = parse_python(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree if isinstance(tree, ast.Module) else None


def parse_expression(text: str) -> ast.expr | None:
    """Parse a Python expression; None if the text is not one expression."""
    match parse_module(text):
        case ast.Module(body=[ast.Expr(value=value)]):
            return value
        case _:
            return None


def read_python(text: str) -> Call:
    """Parse a call in Python syntax; `text` runs from its name to its closing bracket.

    Raises:
        CallError: it is not one call whose arguments are literals, or it exceeds a bound.
    """
    check_bounds(text)
    text = double_invalid_escapes(normalize_typography(text))
    node = parse_expression(text)
    if node is None:
        text_with_suffixes = _KEYWORD.sub(_add_keyword_suffix, text)
        node = parse_expression(text_with_suffixes)
        if isinstance(node, ast.Call):
            return call_from_node(node, text_with_suffixes)
    if not isinstance(node, ast.Call):
        _reject_grouped_number(text, is_python=False)
        name = text.partition("(")[0].strip()[:MAX_NAME_CHARACTERS]
        raise syntax_fault(
            f"the arguments of {name} could not be read; write numbers plainly and text in quotes, like {EXAMPLE_CALL}"
        )
    return call_from_node(node, text)


def _add_keyword_suffix(match: re.Match[str]) -> str:
    return f"{match[0]}{_KEYWORD_SUFFIX}" if match["parameter"] or match["part"] else match[0]


def normalize_typography(text: str) -> str:
    """Replace typographic minus signs and quotes by Python's; text within quotes is not changed."""
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
    """Convert a node to a call.

    Args:
        text: the text from which the node was parsed.

    Raises:
        CallError: an argument is not a literal, or a bound is exceeded.
    """
    arguments: dict[str, Json] = {}
    name = _function_name(node.func)
    if len(node.args) + len(node.keywords) > MAX_ITEMS:
        raise syntax_fault(f"more than {MAX_ITEMS} arguments")
    if "," in text:
        _reject_grouped_number(text)
    for index, argument in enumerate(node.args):
        arguments[str(index)] = literal_value(argument, text)
    for keyword_argument in node.keywords:
        if keyword_argument.arg is None:
            raise syntax_fault(f"** is not allowed; {CALL_ADVICE}")
        parameter = keyword_argument.arg.removesuffix(_KEYWORD_SUFFIX)
        if parameter in arguments:
            raise syntax_fault(f"the argument {parameter[:MAX_NAME_CHARACTERS]} is given twice")
        arguments[parameter] = literal_value(keyword_argument.value, text)
    return Call(name, arguments)


def _reject_grouped_number(text: str, is_python: bool = True) -> None:
    """Raise for 1,200 in `add(1,200, 3)`: its spaces say one number, Python says two. `add(a=1,200)` is not Python."""
    grouped = _GROUPED.search(text)
    if grouped is None:
        return
    without_strings = _STRINGS.sub("''", text)
    grouped = _GROUPED.search(without_strings)
    if grouped and (not is_python or _SPACED_COMMA.search(without_strings)):
        raise syntax_fault(f"{grouped[0][:30]} may be one number or several; write {grouped[0][:30].replace(',', '')}")


def _function_name(node: ast.expr) -> str:
    if type(node) is ast.Name and not node.id.startswith("__"):
        return node.id
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or any(part.startswith("__") for part in [*parts, node.id]):
        raise syntax_fault(f"a call starts with a function's name; {CALL_ADVICE}")
    return ".".join(part.removesuffix(_KEYWORD_SUFFIX) for part in [node.id, *reversed(parts)])


def literal_value(node: ast.expr, text: str) -> Json:
    """Convert a node that is a literal to its value. A fraction p/q of integers becomes the string "p/q".

    Args:
        text: the text from which the node was parsed.

    Raises:
        CallError: the node is not a literal, or a bound is exceeded.
    """
    match node:
        case ast.Constant(value=str() as string):
            return require_valid_unicode(string)
        case ast.Constant(value=bool() | int() | None):
            return node.value
        case ast.Constant(value=float()):
            return exact_float(_source_text(node, text))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float())):
            value = literal_value(node.operand, text)
            if isinstance(value, bool):
                raise syntax_fault("a sign needs a number")
            return -value if isinstance(node.op, ast.USub) else value
        case ast.BinOp(op=ast.Div()):
            return f"{_integer(node.left, text)}/{_integer(node.right, text)}"
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return check_item_count([literal_value(item, text) for item in items])
        case ast.Dict(keys=keys, values=values):
            return _dict_without_duplicates(
                [
                    (_dict_key(key), literal_value(value, text))
                    for key, value in zip(keys, check_item_count(values), strict=True)
                ]
            )
        case ast.Call(func=ast.Name(id=name)):
            shown = name[:MAX_NAME_CHARACTERS]
            raise syntax_fault(f"an argument must be a plain value: call {shown} first, then use its result")
        case ast.Name(id=name) if name in _JSON_NAMES:
            return _JSON_NAMES[name]
        case ast.Name(id=name):
            shown = name[:MAX_NAME_CHARACTERS]
            raise syntax_fault(
                f"an argument must be a plain value, not the name {shown}; quote text, write numbers out"
            )
        case _:
            raise syntax_fault(f"an argument must be a plain value; {CALL_ADVICE}")


def _source_text(node: ast.expr, text: str) -> str:
    if node.lineno == 1 and text.isascii():  # then the parser's columns, which count bytes, count characters too
        return text[node.col_offset : node.end_col_offset]
    return ast.get_source_segment(text, node) or ""


def _integer(node: ast.expr, text: str) -> int:
    value = literal_value(node, text) if isinstance(node, ast.Constant | ast.UnaryOp) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise syntax_fault("a fraction is written p/q with whole numbers; for other divisions call divide")
    return value


def _dict_without_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise syntax_fault("a dict names something twice")
    return value


def _dict_key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return require_valid_unicode(node.value)
    raise syntax_fault("the keys of a dict must be quoted text")
