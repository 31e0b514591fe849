"""Tasks that can execute the functions of their parts `unseen`, and the problems that need these functions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Call, Problem, Step, StepFault
from callwright.tasks import Tasks
from callwright.tasks.parts import UnseenFunction
from callwright.tasks.task import ExecutedSteps, Task
from callwright.validation.execution import execute_again


class TasksWithUnseen(Tasks):
    """The same tasks, whose toolboxes can also execute the functions that training never shows.

    They are pickled as the tasks that they are made of.
    """

    def __init__(self, tasks: Tasks) -> None:
        super().__init__(map(_with_unseen, tasks.values()))
        self._original = tasks

    def __reduce__(self) -> tuple[Any, ...]:
        return TasksWithUnseen, (self._original,)


@dataclass(frozen=True, slots=True)
class UnseenProblem:
    """A problem that needs an unseen function.

    Attributes:
        function: its name.
        listed: the functions that the prompt lists, in order.
    """

    problem: Problem
    function: str
    listed: tuple[str, ...]


def unseen_problems(problems: Sequence[Problem], tasks: Tasks, count: int, seed: int) -> list[UnseenProblem]:
    """At most `count` problems that need an unseen function, as many of each task, and as many of each function.

    Args:
        problems: the test problems. Only their tasks get such problems.
    """
    names = [name for name in dict.fromkeys(problem.task for problem in problems) if _unseen_functions(tasks[name])]
    made = []
    for name, of_task in zip(names, _shares(count, len(names)), strict=True):
        task, of_name = tasks[name], [problem for problem in problems if problem.task == name]
        functions = _unseen_functions(task)
        for unseen, of_function in zip(functions, _shares(of_task, len(functions)), strict=True):
            generated = unseen.generate(of_name, of_function, seed)
            for index, problem in enumerate(generated):
                identified = replace(problem, id=f"{name}/{unseen.function.name}/{index:04d}")
                made.append(
                    UnseenProblem(identified, unseen.function.name, _listed(task, unseen, Random(identified.id)))
                )
    return made


def _shares(count: int, parts: int) -> list[int]:
    """Whole numbers that differ by one at most, and together are `count`.

    >>> _shares(8, 3)
    [3, 3, 2]
    """
    return [(count + parts - 1 - index) // parts for index in range(parts)]


def _listed(task: Task, unseen: UnseenFunction, rng: Random) -> tuple[str, ...]:
    """The task's functions without the missing ones, with the unseen one at a random position before `answer`."""
    names = [name for name in task.toolbox.functions if name not in (*unseen.missing, ANSWER)]
    names.insert(rng.randrange(len(names) + 1), unseen.function.name)
    return (*names, ANSWER)


def _unseen_functions(task: Task) -> list[UnseenFunction]:
    """Those of the part `unseen` whose name is not taken by a user's function."""
    part = task.part("unseen")
    functions = task.toolbox.functions
    return [unseen for unseen in part.functions if unseen.function.name not in functions] if part else []


def _with_unseen(task: Task) -> Task:
    unseen = _unseen_functions(task)
    if not unseen:
        return task
    toolbox = task.toolbox.with_functions([each.function for each in unseen])
    known_calls = {each.function.name: each.known_calls for each in unseen}

    def known(call: Call) -> tuple[Call, ...]:
        return known_calls[call.name](call) if call.name in known_calls else (call,)

    def grounding_faults(problem: Problem, executed: ExecutedSteps, _toolbox: Toolbox) -> Sequence[StepFault]:
        """The faults of the chain and of the solution, with known calls in place of the unseen functions' calls."""
        steps = [
            (index, replace(step, call=call))
            for index, step in enumerate(executed.steps)
            for call in (known(step.call) if step.call is not None and _was_executed(step) else (step.call,))
        ]
        faults = task.grounding_faults(
            replace(problem, solution=tuple(each for call in problem.solution for each in known(call))),
            execute_again([step for _, step in steps], toolbox),
            toolbox,
        )
        return [replace(fault, step=steps[fault.step][0]) for fault in faults]

    return replace(task, toolbox=toolbox, grounding_faults=grounding_faults)


def _was_executed(step: Step) -> bool:
    return step.error is None or step.error.fault == "execution_error"
