"""The tasks by name. A new task is one file and one line here; a user's own come by `load` (docs/own-functions.md)."""

from collections.abc import Sequence

from callwright.tasks.arithmetic import ARITHMETIC
from callwright.tasks.entailment import ENTAILMENT
from callwright.tasks.registry import Tasks
from callwright.tasks.translation import TRANSLATION

TASKS = Tasks((ARITHMETIC, TRANSLATION, ENTAILMENT))


def load(modules: Sequence[str]) -> Tasks:
    """TASKS, after the modules that params.yaml names in `functions` have added theirs. Once per process.

    Raises:
        ParamsError: a module cannot be used; one line that says why.
    """
    TASKS.load(modules)
    return TASKS
