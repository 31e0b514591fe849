"""A kind of problem: the functions, the instructions and the grader, and the way to its further parts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, overload

from callwright.errors import ParamsError
from callwright.functions.toolbox import Toolbox
from callwright.records import Problem, Step, StepFault
from callwright.tasks.parts import (
    PART_TYPES,
    PartName,
    SyntheticProblems,
    TaskDescriptions,
    TaskLabels,
    TaskLessons,
    TaskMistakes,
    TaskUnseen,
    TaskWording,
)
from callwright.text import did_you_mean

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
        named_in_instructions: functions that the instructions name without backquotes, although the names are English
            words. The instructions may name others in backquotes, before a bracket, or if their names have `_` or `.`:
            a view shows all these under its names.
        folder: the package whose modules are the task's further parts (`callwright.tasks.parts`); empty if it has none.
        parts: further parts by name, for a task without a folder. They take precedence over those of the folder.

    Raises:
        ValueError: there is no part of a name in `parts`, or it has the wrong type, or it describes a function that
            does not exist.
    """

    name: str
    toolbox: Toolbox
    instructions: str
    grade: Callable[[Problem, str], Grade]
    grounding_faults: Callable[[Problem, ExecutedSteps, Toolbox], Sequence[StepFault]] = _no_faults
    can_check_grounding: Callable[[Problem], bool] = _always_true
    named_in_instructions: tuple[str, ...] = ()
    folder: str = ""
    parts: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name, part in self.parts.items():
            if name not in PART_TYPES:
                raise ValueError(f"task {self.name}: there is no part {name} ({did_you_mean(str(name), PART_TYPES)})")
            if not isinstance(part, PART_TYPES[name]):
                raise ValueError(f"task {self.name}: its part {name} has to be a {_path(PART_TYPES[name])}")
            _check_names(part, self)

    @overload
    def part(self, name: Literal["synthetic"]) -> SyntheticProblems | None: ...
    @overload
    def part(self, name: Literal["lessons"]) -> TaskLessons | None: ...
    @overload
    def part(self, name: Literal["wording"]) -> TaskWording | None: ...
    @overload
    def part(self, name: Literal["mistakes"]) -> TaskMistakes | None: ...
    @overload
    def part(self, name: Literal["labels"]) -> TaskLabels | None: ...
    @overload
    def part(self, name: Literal["descriptions"]) -> TaskDescriptions | None: ...
    @overload
    def part(self, name: Literal["unseen"]) -> TaskUnseen | None: ...
    def part(self, name: PartName) -> object | None:
        """A further part of the task, imported now if it is in the task's folder; None if the task does not have it.

        Write the name as a literal: this is how `make deps` finds the modules that a stage may import.

        Raises:
            ParamsError: the module of the part cannot be imported, or does not define the part, or describes a
                function that the task does not have.
        """
        return self.parts.get(name) or (_import_part(f"{self.folder}.{name}", name, self) if self.folder else None)


def _check_names(part: object, task: Task) -> None:
    if isinstance(part, TaskDescriptions):
        part.check_names(task.name, (*task.toolbox.functions, *task.toolbox.needless))


def _import_part(module_name: str, name: PartName, task: Task) -> object | None:
    try:
        if find_spec(module_name) is None:
            return None
        part = getattr(import_module(module_name), name.upper(), None)
    except Exception as error:
        raise ParamsError(f"{module_name} cannot be imported: {type(error).__name__}: {error}") from error
    if not isinstance(part, PART_TYPES[name]):
        raise ParamsError(f"{module_name} has to define {name.upper()}, a {_path(PART_TYPES[name])}")
    try:
        _check_names(part, task)
    except ValueError as error:
        raise ParamsError(f"{module_name}: {error}") from None
    return part


def _path(part_type: type) -> str:
    return f"{part_type.__module__}.{part_type.__qualname__}"
