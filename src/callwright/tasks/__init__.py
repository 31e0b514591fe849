"""The tasks by name. A new task is one file and one line here; a user's own come by `load` (docs/own-functions.md)."""

from collections.abc import Sequence

from callwright.tasks.arithmetic.task import ARITHMETIC
from callwright.tasks.entailment.task import ENTAILMENT
from callwright.tasks.translation.task import TRANSLATION
from callwright.tasks.user_tasks import Tasks

TASKS = Tasks((ARITHMETIC, TRANSLATION, ENTAILMENT))


def load(modules: Sequence[str]) -> Tasks:
    """TASKS, after the modules that params.yaml names in `functions` have added theirs. Once per process.

    Raises:
        ParamsError: a module cannot be used; one line that says why.
    """
    TASKS.load(modules)
    return TASKS
