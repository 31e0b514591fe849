"""The functions of the task words."""

from callwright.functions.function import function
from callwright.functions.toolbox import Toolbox


@function(example={"left": "rain", "right": "bow"})
def join(left: str, right: str) -> str:
    """Two words as one."""
    return left + right


@function(example={"word": "star"})
def turn(word: str) -> str:
    """A word written backwards."""
    return word[::-1]


@function(example={"value": "rainbow"})
def answer(value: str) -> str:
    """Give the final answer and stop."""
    return value


TOOLBOX = Toolbox((join, turn, answer))
