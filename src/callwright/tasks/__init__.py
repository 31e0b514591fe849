"""The tasks by name. A new task is one folder and one line here. `load_tasks` adds a user's (docs/own-functions.md)."""

from collections.abc import Sequence
from functools import cache
from pkgutil import resolve_name

from callwright.errors import ParamsError
from callwright.tasks.tasks import Tasks
from callwright.tasks.user_tasks import add_modules

__all__ = ["TASKS", "Tasks", "load_tasks"]

_SHIPPED = (  # "module:task", in the order in which pages and reports show the tasks
    "callwright.tasks.arithmetic.task:ARITHMETIC",
    "callwright.tasks.translation.task:TRANSLATION",
    "callwright.tasks.entailment.task:ENTAILMENT",
)
TASKS = Tasks(map(resolve_name, _SHIPPED), modules=())
"""The tasks that ship."""


def load_tasks(modules: Sequence[str]) -> Tasks:
    """The tasks that ship and what a user's modules add to them. TASKS stays as it is.

    The same modules give the same value in one process, as Python imports a module once.

    Args:
        modules: names of modules, as in `functions` of params.yaml.

    Raises:
        ParamsError: a module cannot be used, or is listed twice.
    """
    if isinstance(modules, str):
        raise ParamsError(f"functions: load_tasks takes a list of modules, not a text: write load_tasks([{modules!r}])")
    return _load(tuple(modules)) if modules else TASKS


@cache
def _load(modules: tuple[str, ...]) -> Tasks:
    return Tasks(add_modules(TASKS, modules).values(), modules)
