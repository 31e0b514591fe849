"""A kind of problem: what a model may call, what it is told, and how an answer is judged."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from callwright.functions.toolbox import Toolbox
from callwright.records import Problem

Grade = Literal["right", "wrong", "undecided"]


@dataclass(frozen=True)
class Task:
    """Functions, instructions and grader. `grade(problem, answer)` judges the text of an `answer` observation."""

    name: str
    toolbox: Toolbox
    instructions: str
    grade: Callable[[Problem, str], Grade]
