"""What a name in a formula looks like.

Variables are told by their looks, so that a formula under construction reads like a finished one: one letter from u to
z with at most one digit (`x`, `y2`) is a variable, any other name is a constant or a predicate.
"""

import re

MAX_NAME = 80  # characters

WORDS = ("all", "forall", "exists", "not", "and", "or", "xor", "iff")
NAME = r"\w(?:[\w+]|[.'’-](?=\w))*"  # FOLIO has l-2021, c++, mr.smith, Companies’Stocks
VARIABLE = r"[u-z][0-9]?(?![\w+'’-])"
_NAME, _VARIABLE = re.compile(NAME), re.compile(VARIABLE)


def is_variable(name: str) -> bool:
    """Whether a name reads as a variable.

    >>> is_variable("x"), is_variable("y2"), is_variable("rex"), is_variable("a")
    (True, True, False, False)
    """
    return _VARIABLE.fullmatch(name) is not None


def check_name(name: str) -> str:
    """The name, if it is one.

    Raises:
        ValueError: it is too long, has other characters, or is a word of the language.
    """
    if len(name) > MAX_NAME:
        raise ValueError(f"a name of more than {MAX_NAME} characters")
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name[:40]!r} is not a name: write letters and digits without spaces")
    if name in WORDS:
        raise ValueError(f"{name!r} is a word of the language, not a name")
    return name
