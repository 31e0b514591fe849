"""Remove what some models' markup adds to a function's name: `functions.add`, `default_api.add`, `add:0`."""

import re
from collections.abc import Container

_NAMESPACES = ("functions.", "function.", "default_api.", "tools.", "tool.")
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
    for namespace in _NAMESPACES:
        if name.startswith(namespace):
            return name.removeprefix(namespace)
    return name
