"""The tasks and functions that a user's modules add (docs/own-functions.md)."""

import importlib
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from callwright.errors import CallError, ParamsError
from callwright.functions.function import Function
from callwright.records import Call
from callwright.tasks.task import Task
from callwright.tasks.tasks import Tasks

TASKS_ATTRIBUTE, FUNCTIONS_ATTRIBUTE = "TASKS", "FUNCTIONS"  # of a user's module
# A task's name is part of metric keys (`<task>/<slice>`), of MLflow's metric names, of ids and of pages.
_TASK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_RESERVED_NAMES = {"overall": "metrics use this name for all tasks together"}


def add_modules(tasks: Tasks, modules: Sequence[str]) -> Tasks:
    """The tasks, and what the modules add to them.

    A module has FUNCTIONS (a dict: name of a task -> functions to add to it), or TASKS (new tasks), or both.

    Raises:
        ParamsError: a module is listed twice, cannot be imported, defines nothing usable, or uses a name that is
            taken.
    """
    by_name = dict(tasks)
    for index, name in enumerate(modules):
        if name in modules[:index]:
            raise ParamsError(f"functions: the module {name} is listed twice; list each module once")
        _add_module(by_name, _import(name), name)
    return Tasks(by_name.values())


def code_paths(modules: Sequence[str]) -> list[Path]:
    """The files to ship with a model that uses these tasks: each module's file or, for a package, its folder.

    Raises:
        ParamsError: a module cannot be imported.
    """
    top_level_names = dict.fromkeys(name.partition(".")[0] for name in modules)
    imported = [(module, getattr(module, "__path__", None)) for module in map(_import, top_level_names)]
    return [Path(next(iter(folders)) if folders else str(module.__file__)) for module, folders in imported]


def _import(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")) or name.endswith(".py"):
        raise ParamsError(f"functions: {name} is not a module's name; write it without folder and .py")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # sys.path starts with the folder of the stage's script
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
        location = f"{Path(error.filename or name).name}, line {error.lineno}"
    else:
        last = traceback.extract_tb(error.__traceback__)[-1]
        location = f"{Path(last.filename).name}, line {last.lineno}"
    return f"functions: {name} cannot be imported: {type(error).__name__}: {_one_line(error)} ({location})"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _add_module(tasks: dict[str, Task], module: ModuleType, name: str) -> None:
    new_tasks, added_functions = getattr(module, TASKS_ATTRIBUTE, ()), getattr(module, FUNCTIONS_ATTRIBUTE, {})
    if not new_tasks and not added_functions:
        raise ParamsError(f"functions: {name} defines neither FUNCTIONS nor TASKS (see docs/own-functions.md)")
    if not isinstance(new_tasks, list | tuple) or not all(isinstance(task, Task) for task in new_tasks):
        raise ParamsError(f"functions: {name}.TASKS has to be a tuple of callwright.tasks.task.Task")
    if not isinstance(added_functions, Mapping):
        raise ParamsError(f'functions: {name}.FUNCTIONS has to be a dict such as {{"arithmetic": (my_function,)}}')
    for task in new_tasks:
        name_error = _name_error(task.name)
        if name_error:
            raise ParamsError(f"functions: {name}.TASKS: a task cannot be called {task.name!r}: {name_error}")
        if task.name in tasks:
            raise ParamsError(f"functions: {name}.TASKS: there is a task {task.name} already")
        tasks[task.name] = task
        _run_examples(task, task.toolbox.functions.values(), name)
    for task_name, functions in added_functions.items():
        location = f"{name}.FUNCTIONS[{task_name!r}]"
        if task_name not in tasks:
            raise ParamsError(f"functions: {location}: there is no task {task_name}; the tasks are {', '.join(tasks)}")
        tasks[task_name] = _add_functions(tasks[task_name], functions, location)
        _run_examples(tasks[task_name], functions, name)


def _name_error(name: object) -> str:
    """Why a task cannot have this name; empty if it can."""
    if not isinstance(name, str) or not _TASK_NAME.fullmatch(name):
        return 'it has to be 1 to 64 of the characters a-z, A-Z, 0-9, "_" and "-", the first one a letter'
    return _RESERVED_NAMES.get(name, "")


def _add_functions(task: Task, functions: Any, location: str) -> Task:
    if not isinstance(functions, list | tuple):
        raise ParamsError(f"functions: {location} has to be a tuple of functions; write (my_function,)")
    for function in functions:
        if not isinstance(function, Function):
            name = getattr(function, "__name__", repr(function))
            raise ParamsError(f"functions: {location}: {name} was not made by @function")
    try:
        return replace(task, toolbox=task.toolbox.with_functions(functions))
    except ValueError as error:
        raise ParamsError(f"functions: {location}: {error}") from None


def _run_examples(task: Task, functions: Iterable[Function], module: str) -> None:
    """Execute the example of each function, as the prompt shows every example with its result.

    Raises:
        ParamsError: an example fails.
    """
    for function in functions:
        try:
            result = task.toolbox.open().execute(Call(function.name, function.example))
        except Exception as error:
            raise ParamsError(
                f"functions: {module}: the example of {function.name} fails: {type(error).__name__}: {_one_line(error)}"
            ) from error
        if isinstance(result, CallError):
            raise ParamsError(f"functions: {module}: the example of {function.name} fails: {result.message}")
