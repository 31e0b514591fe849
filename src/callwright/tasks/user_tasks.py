"""The tasks by name: those that ship, and those that a user's own modules add (docs/own-functions.md)."""

import importlib
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from callwright.errors import CallError, DataError, ParamsError
from callwright.functions.function import Function
from callwright.functions.literal import escape_unprintable
from callwright.records import Call
from callwright.tasks.task import Task

TASKS, FUNCTIONS = "TASKS", "FUNCTIONS"  # what a user's module defines
# A task's name stands in keys of the metrics (`<task>/<slice>`), in MLflow's names of metrics, in ids and on pages.
_TASK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_RESERVED_NAMES = {"overall": "the metrics call all tasks together so"}
_MAX_NAME_CHARACTERS = 60  # characters of an unknown name that a message repeats


class Tasks(dict[str, Task]):
    """Tasks by name. `load` adds what a user's modules define; a process that solves or checks calls it once.

    Args:
        built_in: the tasks that ship.
    """

    def __init__(self, built_in: Iterable[Task]) -> None:
        self._built_in = {task.name: task for task in built_in}
        super().__init__(self._built_in)

    def __missing__(self, name: str) -> NoReturn:
        raise DataError(
            f"there is no task {escape_unprintable(name[:_MAX_NAME_CHARACTERS])}; the tasks are {', '.join(self)}"
        )

    def require(self, names: Iterable[str]) -> None:
        """
        Raises:
            DataError: one of the names is no task's; better said before hours of sampling than after.
        """
        for name in names:
            if name not in self:
                self.__missing__(name)

    def load(self, modules: Sequence[str]) -> None:
        """The tasks that ship with what the modules add; what an earlier call added goes.

        A module has FUNCTIONS, a dict from the name of a task to functions that join it, or TASKS, new tasks, or both.

        Raises:
            ParamsError: a module cannot be imported, defines nothing usable, or uses a name that is taken.
        """
        loaded = dict(self._built_in)
        for name in modules:
            _add_module(loaded, _import(name), name)
        self.clear()
        self.update(loaded)


def code_paths(modules: Sequence[str]) -> list[Path]:
    """The file or, for a package, the folder of each module: what has to go along where the tasks are used elsewhere.

    Raises:
        ParamsError: a module cannot be imported.
    """
    tops = dict.fromkeys(name.partition(".")[0] for name in modules)
    places = [(module, getattr(module, "__path__", None)) for module in map(_import, tops)]
    return [Path(next(iter(folders)) if folders else str(module.__file__)) for module, folders in places]


def _import(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")) or name.endswith(".py"):
        raise ParamsError(f"functions: {name} is not a module's name; write it without folder and .py")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # a stage's script lies in a folder of its own
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise ParamsError(
                f"functions: there is no module {name} in this folder or among the installed packages"
            ) from None
        raise ParamsError(_import_error(name, error)) from error
    except Exception as error:
        raise ParamsError(_import_error(name, error)) from error


def _import_error(name: str, error: Exception) -> str:
    if isinstance(error, SyntaxError):
        place = f"{Path(error.filename or name).name}, line {error.lineno}"
    else:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}, line {last.lineno}"
    return f"functions: {name} cannot be imported: {type(error).__name__}: {_one_line(error)} ({place})"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _add_module(tasks: dict[str, Task], module: ModuleType, name: str) -> None:
    own_tasks, joining = getattr(module, TASKS, ()), getattr(module, FUNCTIONS, {})
    if not own_tasks and not joining:
        raise ParamsError(f"functions: {name} defines neither FUNCTIONS nor TASKS (see docs/own-functions.md)")
    if not isinstance(own_tasks, list | tuple) or not all(isinstance(task, Task) for task in own_tasks):
        raise ParamsError(f"functions: {name}.TASKS has to be a tuple of callwright.tasks.task.Task")
    if not isinstance(joining, Mapping):
        raise ParamsError(f'functions: {name}.FUNCTIONS has to be a dict such as {{"arithmetic": (my_function,)}}')
    for task in own_tasks:
        unusable = _name_error(task.name)
        if unusable:
            raise ParamsError(f"functions: {name}.TASKS: a task cannot be called {task.name!r}: {unusable}")
        if task.name in tasks:
            raise ParamsError(f"functions: {name}.TASKS: there is a task {task.name} already")
        tasks[task.name] = task
        _run_examples(task, task.toolbox.functions.values(), name)
    for task_name, functions in joining.items():
        where = f"{name}.FUNCTIONS[{task_name!r}]"
        if task_name not in tasks:
            raise ParamsError(f"functions: {where}: there is no task {task_name}; the tasks are {', '.join(tasks)}")
        tasks[task_name] = _add_functions(tasks[task_name], functions, where)
        _run_examples(tasks[task_name], functions, name)


def _name_error(name: object) -> str:
    """Why a task cannot have a name; empty when it can."""
    if not isinstance(name, str) or not _TASK_NAME.fullmatch(name):
        return 'it has to be 1 to 64 of the characters a-z, A-Z, 0-9, "_" and "-", the first one a letter'
    return _RESERVED_NAMES.get(name, "")


def _add_functions(task: Task, functions: Any, where: str) -> Task:
    if not isinstance(functions, list | tuple):
        raise ParamsError(f"functions: {where} has to be a tuple of functions; write (my_function,)")
    for one in functions:
        if not isinstance(one, Function):
            raise ParamsError(f"functions: {where}: {getattr(one, '__name__', repr(one))} was not made by @function")
    try:
        return replace(task, toolbox=task.toolbox.with_functions(functions))
    except ValueError as error:
        raise ParamsError(f"functions: {where}: {error}") from None


def _run_examples(task: Task, functions: Iterable[Function], module: str) -> None:
    """The prompt shows every example with its result: a function whose example fails could not be described."""
    for function in functions:
        try:
            result = task.toolbox.open().execute(Call(function.name, function.example))
        except Exception as error:
            raise ParamsError(
                f"functions: {module}: the example of {function.name} fails: {type(error).__name__}: {_one_line(error)}"
            ) from error
        if isinstance(result, CallError):
            raise ParamsError(f"functions: {module}: the example of {function.name} fails: {result.message}")
