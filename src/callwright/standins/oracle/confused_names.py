"""Check the names in a task's part `mistakes`: a misspelt one would only make its mistake rarer."""

from itertools import chain

from callwright.errors import ParamsError
from callwright.tasks import TASKS, Tasks
from callwright.tasks.task import Task
from callwright.text import did_you_mean, one_line

_MAX_NAME_CHARACTERS = 60  # characters of an unknown name that an error message shows


def check_confused_names(task: Task, tasks: Tasks) -> None:
    """Check that the functions which a task's part `mistakes` names exist.

    A function of another task is accepted, because a task can take over that task's part and have fewer functions.

    Args:
        tasks: the other tasks, besides those that ship.

    Raises:
        ParamsError: no task has a function of a name in the part, or the part cannot be imported.
    """
    mistakes = task.part("mistakes")
    if mistakes is None:
        return
    named = {
        "confused_functions": chain(mistakes.confused_functions, *mistakes.confused_functions.values()),
        "invented_functions": mistakes.invented_functions,
        "extra_functions": mistakes.extra_functions,
    }
    known = {name for other in (task, *TASKS.values(), *tasks.values()) for name in other.toolbox.functions}
    for field, names in named.items():
        for name in names:
            if name not in known:
                shown, hint = one_line(str(name), _MAX_NAME_CHARACTERS), did_you_mean(str(name), task.toolbox.functions)
                raise ParamsError(
                    f"task {task.name}: its part mistakes: {field}: there is no function {shown} ({hint})"
                )
