"""Text for people's eyes.

Untrusted text, such as a model's, is escaped, so that it cannot control the terminal or page that shows it.
"""

from collections.abc import Iterable
from difflib import get_close_matches


def escape_controls(text: str) -> str:
    r"""The text with escapes for unprintable characters, such as control characters and marks of writing direction.

    Line breaks stay.

    >>> print(escape_controls("red \x1b[31m, reversed \u202e, line\nbreak"))
    red \x1b[31m, reversed \u202e, line
    break
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == "\n" else _escape(ord(character)) for character in text
    )


def one_line(text: str, limit: int | None = None) -> str:
    r"""Escaped text on one line. Line breaks become escapes too, so that no text can imitate a line of our output.

    Args:
        limit: maximum number of characters; a longer text ends with an ellipsis.

    >>> print(one_line("saved\nteacher: all is well"))
    saved\nteacher: all is well
    >>> one_line("a long text", 6)
    'a lon…'
    """
    cut = text if limit is None else text[: limit + 1]
    shown = escape_controls(cut).replace("\n", "\\n")
    return shown if limit is None or len(shown) <= limit else f"{shown[: limit - 1]}…"


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "known:") -> str:
    """The hint of an error about an unknown name: the most similar known name, or all known names.

    Args:
        otherwise: the words before all known names.

    >>> did_you_mean("temprature", ["temperature", "top_p"])
    'did you mean temperature?'
    >>> did_you_mean("seed", ["temperature", "top_p"])
    'known: temperature, top_p'
    """
    names = list(known)
    similar = get_close_matches(name, names, n=1)
    return f"did you mean {similar[0]}?" if similar else f"{otherwise} {', '.join(names)}"


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
