"""Text as Great Expectations' pages can show it: they put what they are given into HTML and Markdown as it stands."""

from html import unescape
from typing import TYPE_CHECKING, Any

from callwright.visible import visible

if TYPE_CHECKING:
    import pandas as pd

# All ASCII punctuation that means something in HTML, in a script, in Markdown or in a template of theirs.
_ESCAPES = {ord(mark): f"&#{ord(mark)};" for mark in "&<>\"'`\\$*[](){}|~#!"}


def page_text(text: str) -> str:
    r"""A text in which nothing is markup; different texts stay different.

    Characters that cannot be seen show as escapes, and a real backslash is an entity, so that neither is the other.

    >>> page_text("<b> \\x1b \x1b")
    '&#60;b&#62; &#92;x1b \\x1b'
    """
    return visible(text.translate(_ESCAPES))


def plain_text(text: str) -> str:
    r"""What a person reads on the page where it says `page_text(...)`.

    >>> print(plain_text(page_text("<b> \x1b")))
    <b> \x1b
    """
    return unescape(text)


def page_value(value: Any) -> Any:
    """A setting of an expectation with all its texts as `page_text`."""
    match value:
        case str():
            return page_text(value)
        case list() | tuple():
            return [page_value(one) for one in value]
        case dict():
            return {name: page_value(one) for name, one in value.items()}
        case _:
            return value


def page_frame(frame: "pd.DataFrame") -> "pd.DataFrame":
    """A table of the same size and types with all its texts as `page_text`."""
    from pandas.api.types import is_object_dtype, is_string_dtype

    shown = frame.copy(deep=False)
    for name in frame.columns:
        column = frame[name]
        if is_object_dtype(column.dtype) or is_string_dtype(column.dtype):
            texts = [page_text(one) if isinstance(one, str) else one for one in column]
            shown[name] = type(column)(texts, index=column.index, dtype=column.dtype)
    return shown
