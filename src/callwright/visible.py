"""Text that cannot drive what shows it: a model's words are hostile until proven otherwise."""


def visible(text: str) -> str:
    r"""Text without control characters and marks of writing direction: they show as escapes.

    >>> print(visible("red \x1b[31m, reversed \u202e, line\nbreak"))
    red \x1b[31m, reversed \u202e, line
    break
    """
    return "".join(one if one.isprintable() or one == "\n" else _escape(ord(one)) for one in text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
