"""Names that a module offers and another defines, imported when they are first used."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_exports(module: str, where: Mapping[str, str]) -> Callable[[str], Any]:
    """A module's `__getattr__` (PEP 562).

    Args:
        module: its name, for the error.
        where: name -> the module that defines it.
    """

    def get(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return getattr(import_module(where[name]), name)

    return get
