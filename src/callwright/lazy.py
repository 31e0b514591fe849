"""Names that a module exports and another module defines, imported on first use."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_exports(module: str, module_by_name: Mapping[str, str]) -> Callable[[str], Any]:
    """Make a module's `__getattr__` (PEP 562).

    Args:
        module: the name of the exporting module, for the error.
        module_by_name: for each exported name, the module that defines it.
    """

    def get(name: str) -> Any:
        if name not in module_by_name:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return getattr(import_module(module_by_name[name]), name)

    return get
