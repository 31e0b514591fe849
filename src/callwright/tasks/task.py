"""A kind of problem: the functions, the instructions and the grader. And the mistakes that models make in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from callwright.functions.toolbox import Toolbox
from callwright.records import Problem, Step, StepFault

Grade = Literal["right", "wrong", "undecided"]


@dataclass(frozen=True, slots=True)
class ExecutedSteps:
    """The steps of a chain with the values that executing their calls returned.

    Attributes:
        values: as long as `steps`; None for a step without observation.
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
        grounding_faults: `grounding_faults(problem, executed, toolbox)` reports an answer that a call returned but that
            does not depend on the problem: `ungrounded_answer` if that shows without the problem's solution,
            `unfaithful_call` if a call differs from the solution, `undecided` if the check could not decide.
            `executed` ends with an accepted answer; `toolbox` is the one that its calls were executed with.
        can_check_grounding: whether the problem has what `grounding_faults` needs. The quality report counts the
            problems that do not (`ground_not_checked`).
    """

    name: str
    toolbox: Toolbox
    instructions: str
    grade: Callable[[Problem, str], Grade]
    grounding_faults: Callable[[Problem, ExecutedSteps, Toolbox], Sequence[StepFault]] = _no_faults
    can_check_grounding: Callable[[Problem], bool] = _always_true


@dataclass(frozen=True, slots=True)
class TaskMistakes:
    """What models confuse in a task.

    Attributes:
        confused_functions: function -> the functions that are called instead.
        invented_functions: function -> a name that sounds right but does not exist.
        misread_words: pairs of a word in a formula and the word that it is mistaken for, with the spaces around them.
    """

    confused_functions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    invented_functions: Mapping[str, str] = field(default_factory=dict)
    misread_words: tuple[tuple[str, str], ...] = ()
