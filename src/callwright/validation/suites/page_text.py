"""Escape texts for Great Expectations' pages, because the library puts them into HTML and Markdown as they are."""

from html import unescape
from typing import TYPE_CHECKING, Any

from callwright.text import escape_controls

if TYPE_CHECKING:
    import pandas as pd

# All ASCII punctuation with a meaning in HTML, in scripts, in Markdown or in their templates.
_ESCAPES = {ord(mark): f"&#{ord(mark)};" for mark in "&<>\"'`\\$*[](){}|~#!"}


def page_text(text: str) -> str:
    r"""The text with all markup escaped; different texts stay different.

    Invisible characters become escapes, and a backslash becomes an entity, so the two stay different.


    >>> page_text("<b> \\x1b \x1b")
    '&#60;b&#62; &#92;x1b \\x1b'
    """
    return escape_controls(text.translate(_ESCAPES))


def plain_text(text: str) -> str:
    r"""The text that a page shows for `page_text(...)`.

    >>> print(plain_text(page_text("<b> \x1b")))
    <b> \x1b
    """
    return unescape(text)


def page_value(value: Any) -> Any:
    """A setting of an expectation, with `page_text` applied to all its texts."""
    match value:
        case str():
            return page_text(value)
        case list() | tuple():
            return [page_value(item) for item in value]
        case dict():
            return {name: page_value(item) for name, item in value.items()}
        case _:
            return value


def page_frame(frame: "pd.DataFrame") -> "pd.DataFrame":
    """A copy of the table with `page_text` applied to all its texts; column types stay the same."""

    from pandas.api.types import is_object_dtype, is_string_dtype

    escaped = frame.copy(deep=False)
    for name in frame.columns:
        column = frame[name]
        if is_object_dtype(column.dtype) or is_string_dtype(column.dtype):
            texts = [page_text(value) if isinstance(value, str) else value for value in column]
            escaped[name] = type(column)(texts, index=column.index, dtype=column.dtype)
    return escaped
