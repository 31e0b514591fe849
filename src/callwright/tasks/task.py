"""A kind of problem: what a model may call, what it is told, and how an answer is judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from callwright.functions.toolbox import Toolbox
from callwright.records import Problem, Step

Grade = Literal["right", "wrong", "undecided"]


def _nothing_lacks(_problem: Problem, _steps: Sequence[Step]) -> str:
    return ""


@dataclass(frozen=True)
class Task:
    """Functions, instructions and grader.

    Attributes:
        grade: `grade(problem, answer)` judges the text of an `answer` observation.
        lacks_ground: `lacks_ground(problem, steps)` says in a sentence why an answer that a call returned does not rest
            on the problem all the same; empty when it does.
    """

    name: str
    toolbox: Toolbox
    instructions: str
    grade: Callable[[Problem, str], Grade]
    lacks_ground: Callable[[Problem, Sequence[Step]], str] = _nothing_lacks
