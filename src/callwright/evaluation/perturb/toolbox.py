"""Tasks with a changed toolbox and unchanged problems: functions under new names, or one function more."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from callwright.functions.needless import count_letters
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Problem, Step, StepFault
from callwright.tasks.parts import TaskWording
from callwright.tasks.task import ExecutedSteps, Task


def rename_functions(task: Task, names: Iterable[str] | None = None) -> Task | None:
    """The task with functions under names that training never showed; None if the new names clash.

    The instructions use the new names, too. Error messages and descriptions written by a function's author are not
    changed.

    Args:
        names: of the functions to rename; None: all but `answer`.
    """
    current_names = [name for name in task.toolbox.functions if name != ANSWER]
    renamed = current_names if names is None else [name for name in current_names if name in set(names)]
    new_names = (task.part("wording") or TaskWording()).new_function_names
    new_by_old = {name: new_names.get(name, f"run_{name}") for name in renamed}
    if len({*new_by_old.values(), *current_names, ANSWER}) < len(new_by_old) + len(current_names) + 1:
        return None
    old_by_new = {new: old for old, new in new_by_old.items()}
    mentioned = re.compile(rf"\b(?:{'|'.join(map(re.escape, new_by_old))})\b")

    def grounding_faults(problem: Problem, executed: ExecutedSteps, _toolbox: Toolbox) -> Sequence[StepFault]:
        steps = tuple(_rename_call(step, old_by_new) for step in executed.steps)
        return task.grounding_faults(problem, replace(executed, steps=steps), task.toolbox)

    instructions = task.instructions
    if new_by_old:
        instructions = mentioned.sub(lambda match: new_by_old[match[0]], instructions)
    toolbox = task.toolbox.renamed(new_by_old)
    return replace(task, toolbox=toolbox, instructions=instructions, grounding_faults=grounding_faults)


def rename_last_needed_function(task: Task, problem: Problem) -> Task | None:
    """The task with one function that the problem needs under a new name; None if the problem needs no function.

    The renamed function is the last one that the gold solution calls before `answer`: a model that only knows the old
    names can solve all steps but the last without reading the prompt.
    """
    needed = [call.name for call in problem.solution if call.name != ANSWER]
    return rename_functions(task, needed[-1:]) if needed else None


def _rename_call(step: Step, names: Mapping[str, str]) -> Step:
    if step.call is None or (step.error is not None and step.error.fault != "execution_error"):
        return step  # a call that was not executed may name a function that the toolbox does not have
    return replace(step, call=replace(step.call, name=names.get(step.call.name, step.call.name)))


def add_distractor(task: Task) -> Task | None:
    """The task with a function that no problem needs; None if it already has a function of that name."""
    if count_letters.name in task.toolbox.functions:
        return None
    return replace(task, toolbox=task.toolbox.with_functions([count_letters]))
