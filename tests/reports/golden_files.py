"""Files as a run at tiny scale wrote them, shortened; the parts about a champion and samples were added by hand.

They hold every key of schema 1. A test fails if a key is renamed, moved or written in another format.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).with_name("golden")
GONE = "(gone)"  # a string, so that a test has the same name in every process
Key = tuple[str | int, ...]


def golden(name: str) -> Any:
    """The value of a golden file."""
    return json.loads((GOLDEN / name).read_text())


def leaf_keys(value: Any, key: Key = ()) -> Iterator[Key]:
    """The keys of all values of nested objects and lists that are neither, from the outside in."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield key
    else:
        for name, inner in items:
            yield from leaf_keys(inner, (*key, name))


def with_value(value: Any, key: Key, new: Any) -> Any:
    """A copy with another value at a key, or without the key (GONE)."""
    copied = deepcopy(value)
    *outer, last = key
    section = copied
    for name in outer:
        section = section[name]
    if new is GONE:
        del section[last]
    else:
        section[last] = new
    return copied


def dotted(key: Key) -> str:
    return ".".join(map(str, key))
