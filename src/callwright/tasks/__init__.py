"""The tasks by name. A new task is one folder and one line here. `load` adds a user's tasks (docs/own-functions.md)."""

from collections.abc import Sequence

from callwright.tasks.arithmetic.task import ARITHMETIC
from callwright.tasks.entailment.task import ENTAILMENT
from callwright.tasks.translation.task import TRANSLATION
from callwright.tasks.user_tasks import Tasks

__all__ = ["TASKS", "Tasks", "load"]

TASKS = Tasks((ARITHMETIC, TRANSLATION, ENTAILMENT))


def load(modules: Sequence[str]) -> Tasks:
    """Add the tasks and functions of the modules that params.yaml names in `functions`. Once per process.

    Returns:
        TASKS.

    Raises:
        ParamsError: a module cannot be used.
    """
    TASKS.load(modules)
    return TASKS
