"""Tasks by name, as a value that is passed on: two of them can be in use in one process."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from callwright.errors import DataError
from callwright.functions.literal import escape_unprintable
from callwright.tasks.task import Task

_MAX_NAME_CHARACTERS = 60  # characters of an unknown name that an error message shows


class Tasks(Mapping[str, Task]):
    """Tasks by name, in a fixed order. Nothing changes them.

    They are pickled as the names of their modules, because functions and graders cannot be pickled. So another process
    loads the same tasks.

    Args:
        tasks: each gets its own name; the last one of a name counts.
        modules: the user's modules that `callwright.tasks.load_tasks` read; None for tasks that were put together in
            this process, which cannot be pickled.
    """

    def __init__(self, tasks: Iterable[Task], modules: Sequence[str] | None = None) -> None:
        self._by_name = {task.name: task for task in tasks}
        self._modules = None if modules is None else tuple(modules)

    @property
    def modules(self) -> tuple[str, ...]:
        """The user's modules that these tasks include; empty for tasks that were put together in this process."""
        return self._modules or ()

    def __getitem__(self, name: str) -> Task:
        """The task of this name.

        Raises:
            DataError: there is none.
        """
        task = self._by_name.get(name) if isinstance(name, str) else None
        if task is None:
            shown = escape_unprintable(str(name)[:_MAX_NAME_CHARACTERS])
            raise DataError(f"there is no task {shown}; the tasks are {', '.join(self)}")
        return task

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def get(self, name: str, default: Any = None) -> Any:
        """The task of this name, or the default."""
        return self._by_name.get(name, default)

    def require(self, names: Iterable[str]) -> None:
        """Check that all names are names of tasks. Called before sampling, which may take hours.

        Raises:
            DataError: there is no task of one of the names.
        """
        for name in names:
            self[name]

    def __repr__(self) -> str:
        return f"Tasks({', '.join(self)})"

    def __reduce__(self) -> tuple[Any, ...]:
        from callwright.tasks import load_tasks

        if self._modules is None:
            raise TypeError(
                "these tasks were put together in this process, so no other process can load them: define them in a "
                "module and load it with callwright.tasks.load_tasks"
            )
        return load_tasks, (self._modules,)
