"""Values and calls as text: what a model is shown, in the syntax that the parser reads back."""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

from callwright.functions.numbers import format_number
from callwright.records import Call

_POSITION = re.compile(r"0|[1-9][0-9]{0,3}")
_FRACTION = re.compile(r"-?(0|[1-9][0-9]*)/(0|[1-9][0-9]*)")  # as the parser reads it without quotes


def render_value(value: Any, ordered: bool = False) -> str:
    """A literal in the text protocol's syntax; exact numbers as `format_number` shows them, p/q without quotes.

    An enum's member is its value; a tuple or a set is a list, a set in the order of its items' texts; the keys of a
    dict are text.

    Args:
        ordered: write dicts in the order of their keys, so that equal dicts have equal texts.

    >>> render_value([Fraction(3, 2), Fraction(1, 3), None, True, {"unit": "cm"}])
    "[1.5, 1/3, None, True, {'unit': 'cm'}]"
    """
    if isinstance(value, Enum):
        return render_value(value.value, ordered)
    if isinstance(value, Fraction):
        return format_number(value)
    if isinstance(value, Decimal):
        return format_number(Fraction(value))
    if isinstance(value, str):
        return value if _FRACTION.fullmatch(value) else repr(str(value))
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(render_value(item, ordered) for item in value)}]"
    if isinstance(value, set | frozenset):
        return f"[{', '.join(sorted(render_value(item, ordered) for item in value))}]"
    if isinstance(value, Mapping):
        items = [(_key(key), render_value(item, ordered)) for key, item in value.items()]
        return "{" + ", ".join(f"{key!r}: {item}" for key, item in (sorted(items) if ordered else items)) + "}"
    return repr(str(value))


def _key(key: Any) -> str:
    if isinstance(key, Enum):
        return _key(key.value)
    return key if isinstance(key, str) else render_value(key)


def render_call(call: Call) -> str:
    """A call in the text protocol's syntax.

    >>> render_call(Call("add", {"a": 2, "b": 0.5}))
    'add(a=2, b=0.5)'
    """
    parts = [
        render_value(value) if is_positional_key(key) else f"{key}={render_value(value)}"
        for key, value in call.arguments.items()
    ]
    return f"{call.name}({', '.join(parts)})"


def is_positional_key(key: str) -> bool:
    """Whether an argument's key is its place ("0", "1", ...) and not a parameter's name.

    >>> is_positional_key("12"), is_positional_key("²"), is_positional_key("٣"), is_positional_key("01")
    (True, False, False, False)
    """
    return _POSITION.fullmatch(key) is not None


def escape_unprintable(text: str) -> str:
    """The text on one line, with everything that a terminal would obey or hide written out.

    >>> print(escape_unprintable("red: \\x1b[31m, right to left: \\u202e, next\\nline"))
    red: \\x1b[31m, right to left: \\u202e, next\\nline
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
