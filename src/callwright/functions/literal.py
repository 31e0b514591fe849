"""Values and calls as text for the model, in the syntax that the parser reads back; names as models write them."""

import re
from collections.abc import Container, Mapping
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

from callwright.functions.numbers import format_number
from callwright.records import Call

_POSITION = re.compile(r"0|[1-9][0-9]{0,3}")
_FRACTION = re.compile(r"-?(0|[1-9][0-9]*)/(0|[1-9][0-9]*)")  # the parser reads it without quotes


def render_value(value: Any, sort_keys: bool = False) -> str:
    """Write a value as a literal in the text protocol's syntax.

    Exact numbers are written by `format_number`, and p/q has no quotes. An enum's member is written as its value. A
    tuple or a set is written as a list; the items of a set are sorted by their text. The keys of a dict are text.

    Args:
        sort_keys: sort the keys of dicts, so that equal dicts have equal texts.

    >>> render_value([Fraction(3, 2), Fraction(1, 3), None, True, {"unit": "cm"}])
    "[1.5, 1/3, None, True, {'unit': 'cm'}]"
    """
    if isinstance(value, Enum):
        return render_value(value.value, sort_keys)
    if isinstance(value, Fraction):
        return format_number(value)
    if isinstance(value, Decimal):
        return format_number(Fraction(value))
    if isinstance(value, str):
        return value if _FRACTION.fullmatch(value) else repr(str(value))
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(render_value(item, sort_keys) for item in value)}]"
    if isinstance(value, set | frozenset):
        return f"[{', '.join(sorted(render_value(item, sort_keys) for item in value))}]"
    if isinstance(value, Mapping):
        items = [(_dict_key(key), render_value(item, sort_keys)) for key, item in value.items()]
        return "{" + ", ".join(f"{key!r}: {item}" for key, item in (sorted(items) if sort_keys else items)) + "}"
    return repr(str(value))


def _dict_key(key: Any) -> str:
    if isinstance(key, Enum):
        return _dict_key(key.value)
    return key if isinstance(key, str) else render_value(key)


def render_call(call: Call) -> str:
    """Write a call in the text protocol's syntax.

    >>> render_call(Call("add", {"a": 2, "b": 0.5}))
    'add(a=2, b=0.5)'
    """
    parts = [
        render_value(value) if is_positional_key(key) else f"{key}={render_value(value)}"
        for key, value in call.arguments.items()
    ]
    return f"{call.name}({', '.join(parts)})"


def is_positional_key(key: str) -> bool:
    """Whether an argument's key is a position ("0", "1", ...) and not a parameter's name.

    >>> is_positional_key("12"), is_positional_key("²"), is_positional_key("٣"), is_positional_key("01")
    (True, False, False, False)
    """
    return _POSITION.fullmatch(key) is not None


def escape_unprintable(text: str) -> str:
    """Put a text on one line: control characters and invisible characters become escapes.

    >>> print(escape_unprintable("red: \\x1b[31m, right to left: \\u202e, next\\nline"))
    red: \\x1b[31m, right to left: \\u202e, next\\nline
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


NAMESPACES = ("functions.", "function.", "default_api.", "tools.", "tool.")  # that models write before a name
MAX_NAME_CHARACTERS = 64  # of a function or a parameter; the limit of the OpenAI API
_SUFFIX_START = re.compile(r"[:<]")
_SUFFIX = re.compile(r"(?::[0-9]{1,4})?(?:<\|.*)?", re.DOTALL)  # Kimi's call number, harmony's next control token


def resolve_function_name(name: str, known: Container[str]) -> str:
    """Return the name without the markup around it if that is a known function, else the name unchanged.

    >>> resolve_function_name("functions.add:0", {"add"}), resolve_function_name("add<|channel|>commentary", {"add"})
    ('add', 'add')
    """
    if name in known:
        return name
    stripped = strip_name_markup(name)
    return stripped if stripped in known else name


def strip_name_markup(name: str) -> str:
    """Remove a namespace before the name, and a call number or a control token after it."""
    suffix = _SUFFIX_START.search(name)
    if suffix and _SUFFIX.fullmatch(name, suffix.start()):
        name = name[: suffix.start()].rstrip()
    for namespace in NAMESPACES:
        if name.startswith(namespace):
            return name.removeprefix(namespace)
    return name
