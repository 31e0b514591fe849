"""Remove what some models' markup adds to a function's name: `functions.add`, `default_api.add`, `add:0`."""

import re
from collections.abc import Container

_NAMESPACES = ("functions.", "function.", "default_api.", "tools.", "tool.")
_END = re.compile(r"[:<]")
_ENDING = re.compile(r"(?::[0-9]{1,4})?(?:<\|.*)?", re.DOTALL)  # Kimi's call number, harmony's next mark


def resolve_function_name(name: str, known: Container[str]) -> str:
    """The name without its decorations if that is a known function; otherwise the name unchanged.

    >>> resolve_function_name("functions.add:0", {"add"}), resolve_function_name("add<|channel|>commentary", {"add"})
    ('add', 'add')
    """
    if name in known:
        return name
    plain = strip_name_markup(name)
    return plain if plain in known else name


def strip_name_markup(name: str) -> str:
    """The name without a namespace from the markup before it, and without a call number or a mark after it."""
    end = _END.search(name)
    if end and _ENDING.fullmatch(name, end.start()):
        name = name[: end.start()].rstrip()
    for namespace in _NAMESPACES:
        if name.startswith(namespace):
            return name.removeprefix(namespace)
    return name
