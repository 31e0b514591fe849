"""A kind of problem: what a model may call, what it is told, and how an answer is judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from callwright.functions.toolbox import Toolbox
from callwright.records import Problem, Step, StepFault

Grade = Literal["right", "wrong", "undecided"]


@dataclass(frozen=True, slots=True)
class ExecutedSteps:
    """The steps of a chain with the values that executing their calls returned.

    Attributes:
        values: one per step, None where the step has no observation.
    """

    steps: tuple[Step, ...]
    values: tuple[Any, ...]


def _no_faults(_problem: Problem, _executed: ExecutedSteps, _toolbox: Toolbox) -> Sequence[StepFault]:
    return ()


def _always_true(_problem: Problem) -> bool:
    return True


@dataclass(frozen=True)
class Task:
    """Functions, instructions and grader.

    Attributes:
        grade: `grade(problem, answer)` judges the text of an `answer` observation.
        grounding_faults: `grounding_faults(problem, executed, toolbox)` finds why an answer that a call returned does
            not rest on the problem all the same: `ungrounded_answer` where that shows without the problem's solution,
            `unfaithful_call` where a call differs from the solution, `undecided` where it cannot be told. `executed`
            ends with an accepted answer; `toolbox` is the one that its calls were executed with.
        can_check_grounding: whether the problem has what `grounding_faults` needs; the report counts those without.
    """

    name: str
    toolbox: Toolbox
    instructions: str
    grade: Callable[[Problem, str], Grade]
    grounding_faults: Callable[[Problem, ExecutedSteps, Toolbox], Sequence[StepFault]] = _no_faults
    can_check_grounding: Callable[[Problem], bool] = _always_true
