"""Tasks that can execute the functions of their parts `unseen`, and the problems that need these functions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from callwright.errors import CallwrightError
from callwright.evaluation.perturb.views import with_one_more
from callwright.evaluation.statistics.compare import share_with_interval
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.params import EvaluateParams, RobustnessParams
from callwright.params.evaluate import UNSEEN
from callwright.records import Call, CheckedChain, Problem, Step, StepFault
from callwright.reports.metrics import Interval
from callwright.reports.values import OVERALL, BySlice
from callwright.surprises import SurpriseLog, surprise_of
from callwright.tasks import Tasks
from callwright.tasks.parts import UnseenFunction
from callwright.tasks.task import ExecutedSteps, Task
from callwright.tasks.view import View
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
        view: shows the function, and not those that it could be replaced by.
    """

    problem: Problem
    function: str
    view: View


def unseen_problems(
    problems: Sequence[Problem],
    tasks: Tasks,
    params: RobustnessParams,
    seed: int,
    surprises: SurpriseLog | None = None,
) -> list[UnseenProblem]:
    """Problems that need an unseen function: as many of each task; none without the change.

    A task has as many of each function. If too few can be made of one, there are more of the others.

    Args:
        problems: the test problems. Only their tasks get such problems.
        surprises: counts the functions whose problems cannot be made; by default of the stage `evaluate`.

    Raises:
        ParamsError: a task's part `unseen` cannot be imported.
    """
    if UNSEEN not in params.changes:
        return []
    log = surprises or SurpriseLog("evaluate")
    names = [name for name in dict.fromkeys(problem.task for problem in problems) if _unseen_functions(tasks[name])]
    made = []
    for name, of_task in zip(names, _shares(params.problems, len(names)), strict=True):
        task, of_name = tasks[name], [problem for problem in problems if problem.task == name]
        functions = _unseen_functions(task)
        for unseen, of_function in zip(
            functions, _generate_of_each(functions, of_name, of_task, seed, log), strict=True
        ):
            function = unseen.function.name
            key = f"{UNSEEN}/{seed}/{name}/{function}"
            stand_ins = {unseen.stands_in_for: function} if unseen.stands_in_for else {}
            view = View(key, functions=_listed(task, unseen, Random(key)), stand_ins=stand_ins)
            for index, generated in enumerate(of_function):
                problem = replace(generated, id=f"{name}/{function}/{index:04d}~{UNSEEN}")
                made.append(UnseenProblem(problem, function, view))
    return made


def _generate_of_each(
    functions: Sequence[UnseenFunction], problems: Sequence[Problem], count: int, seed: int, log: SurpriseLog
) -> list[Sequence[Problem]]:
    """The problems of each function, `count` together if so many can be made."""
    wanted = _shares(count, len(functions))
    made = [_generate(unseen, problems, each, seed, log) for unseen, each in zip(functions, wanted, strict=True)]
    while (missing := count - sum(map(len, made))) > 0:
        able = [index for index, each in enumerate(made) if len(each) == wanted[index]]
        if not able:
            break
        able.sort(key=lambda index: wanted[index])
        for index, more in zip(able, _shares(missing, len(able)), strict=True):
            wanted[index] += more
            made[index] = _generate(functions[index], problems, wanted[index], seed, log)
    return made


def _generate(
    unseen: UnseenFunction, problems: Sequence[Problem], count: int, seed: int, log: SurpriseLog
) -> Sequence[Problem]:
    try:
        return unseen.generate(problems, count, seed)
    except CallwrightError:
        raise
    except Exception as error:
        log.add(surprise_of(error), f"{unseen.function.name}~{UNSEEN}")
        return ()


def _shares(count: int, parts: int) -> list[int]:
    """Whole numbers that differ by one at most, and together are `count`.

    >>> _shares(8, 3)
    [3, 3, 2]
    """
    return [(count + parts - 1 - index) // parts for index in range(parts)]


def _listed(task: Task, unseen: UnseenFunction, rng: Random) -> tuple[str, ...]:
    names = [name for name in task.toolbox.functions if name not in (*unseen.missing, ANSWER)]
    return with_one_more(names, unseen.function.name, rng)


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


def compute_unseen(
    problems: Sequence[UnseenProblem], chains: Sequence[CheckedChain | None], params: EvaluateParams
) -> BySlice[Interval] | None:
    """Accuracy on the problems: of all, by task (`arithmetic`) and by function (`arithmetic/larger_of`).

    Args:
        chains: of the problems, in their order; None for a problem without a chain.

    Returns:
        None if no problem has a chain.
    """
    slices: dict[str, list[tuple[bool, str]]] = {}
    for unseen, chain in zip(problems, chains, strict=True):
        if chain is not None:
            task = unseen.problem.task
            for name in (OVERALL, task, f"{task}/{unseen.function}"):
                slices.setdefault(name, []).append((chain.verdict.correct, unseen.problem.group))
    results = {}
    for name, of_slice in slices.items():
        correct, groups = map(list, zip(*of_slice, strict=True))
        results[name] = share_with_interval(correct, groups, confidence=params.confidence, resamples=params.resamples)
    return BySlice(results) if results else None
