"""A function of words that training never shows, for problems that would otherwise need two calls."""

from collections.abc import Sequence

from callwright.functions.function import function
from callwright.records import Call, Problem
from callwright.tasks.parts import TaskUnseen, UnseenFunction


@function(example={"left": "rain", "right": "bow"})
def join_backwards(left: str, right: str) -> str:
    """Two words as one, written backwards."""
    return (left + right)[::-1]


def _generate(problems: Sequence[Problem], count: int, _seed: int) -> list[Problem]:
    return [
        Problem(
            "",
            "words",
            f"Write na and {end} as one word, backwards.",
            f"{end[::-1]}an",
            (Call("join_backwards", {"left": "na", "right": end}), Call("answer", {"value": f"{end[::-1]}an"})),
            "test",
            "joined",
            "test",
        )
        for end in ("bo", "ta", "ki")[:count]
    ]


def _known_calls(call: Call) -> tuple[Call, ...]:
    if call.name != join_backwards.name:
        return (call,)
    joined = call.arguments["left"] + call.arguments["right"]
    return (Call("join", call.arguments), Call("turn", {"word": joined}))


UNSEEN = TaskUnseen((UnseenFunction(join_backwards, _generate, missing=("turn",), known_calls=_known_calls),))
