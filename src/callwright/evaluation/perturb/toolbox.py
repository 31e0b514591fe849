"""Tasks whose toolbox is another and whose problems stay the same: functions replaced, a needless one added."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from callwright.functions.function import strict_function
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Problem, Step, StepFault
from callwright.tasks.task import ExecutedSteps, Task

NEW_FUNCTION_NAMES: Mapping[str, str] = {
    "add": "sum_of",
    "subtract": "difference_of",
    "multiply": "product_of",
    "divide": "quotient_of",
    "power": "raise_to",
    "remainder": "left_over",
    "percent_of": "share_in_percent",
    "round_to": "shorten_to",
    "solve": "unknown_of",
    "predicate": "relation",
    "negate": "opposite",
    "conjoin": "both_of",
    "disjoin": "either_of",
    "exclusive": "one_of",
    "imply": "whenever",
    "equivalent": "same_as",
    "for_all": "everything",
    "exists": "something",
    "assume": "take_as_given",
    "entails": "follows",
}


@strict_function(example={"text": "pear"})
def count_letters(text: str) -> int:
    """How many letters a text has."""
    return sum(letter.isalpha() for letter in text)


def rename_functions(task: Task, names: Iterable[str] | None = None) -> Task | None:
    """The task with functions under names that training never saw; None where the new names clash.

    Its instructions name the functions by their new names too. What a function itself says of another, in an error or
    in its description, stays as its author wrote it.

    Args:
        names: of the functions to rename; None: all but `answer`.
    """
    own = [name for name in task.toolbox.functions if name != ANSWER]
    changing = own if names is None else [name for name in own if name in set(names)]
    new = {name: NEW_FUNCTION_NAMES.get(name, f"run_{name}") for name in changing}
    if len({*new.values(), *own, ANSWER}) < len(new) + len(own) + 1:
        return None
    old = {after: before for before, after in new.items()}
    mentioned = re.compile(rf"\b(?:{'|'.join(map(re.escape, new))})\b")

    def grounding_faults(problem: Problem, executed: ExecutedSteps, _toolbox: Toolbox) -> Sequence[StepFault]:
        steps = tuple(_rename_call(step, old) for step in executed.steps)
        return task.grounding_faults(problem, replace(executed, steps=steps), task.toolbox)

    instructions = mentioned.sub(lambda found: new[found[0]], task.instructions) if new else task.instructions
    toolbox = task.toolbox.renamed(new)
    return replace(task, toolbox=toolbox, instructions=instructions, grounding_faults=grounding_faults)


def rename_last_needed_function(task: Task, problem: Problem) -> Task | None:
    """The task with one function that the problem needs replaced by one of an unknown name; None where it needs none.

    Which one is replaced is the last that its gold solution calls before `answer`: a model that only knows the old
    names gets as far as it can without reading.
    """
    needed = [call.name for call in problem.solution if call.name != ANSWER]
    return rename_functions(task, needed[-1:]) if needed else None


def _rename_call(step: Step, names: Mapping[str, str]) -> Step:
    if step.call is None or (step.error is not None and step.error.fault != "execution_error"):
        return step  # what was not executed may name a function that is not offered
    return replace(step, call=replace(step.call, name=names.get(step.call.name, step.call.name)))


def add_distractor(task: Task) -> Task | None:
    """The task with a function that no problem needs; None where there is one of that name."""
    if count_letters.name in task.toolbox.functions:
        return None
    return replace(task, toolbox=task.toolbox.with_functions([count_letters]))
