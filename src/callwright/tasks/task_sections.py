"""Sections of params.yaml that list tasks by name: which task each entry means, and errors about the part it needs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from callwright.errors import CallwrightError, DataError, ParamsError
from callwright.surprises import surprise_of
from callwright.tasks.task import Task
from callwright.text import did_you_mean, one_line

_MAX_NAME_CHARACTERS = 60  # characters of an unknown name that an error message shows
ValueT = TypeVar("ValueT")


def listed_tasks(section: Mapping[str, ValueT], tasks: Mapping[str, Task], key: str) -> list[tuple[Task, ValueT]]:
    """The tasks that a section lists, each with its value there. The order is that of `tasks`.

    Args:
        section: name of a task -> value.
        key: of the section in params.yaml, such as "problems.synthetic".

    Raises:
        ParamsError: there is no task of a name in the section.
    """
    for name in section:
        if name not in tasks:
            hint = did_you_mean(name, tasks, "the tasks are")
            raise ParamsError(f"params.yaml: {key}: there is no task {one_line(name, _MAX_NAME_CHARACTERS)} ({hint})")
    return [(task, section[name]) for name, task in tasks.items() if name in section]


def missing_part(task: Task, part: str, key: str) -> ParamsError:
    """The error for a task that a section lists, but that lacks the part which the section needs."""
    return ParamsError(
        f"params.yaml: {key}.{task.name}: the task has no part `{part}`: give it one (docs/own-functions.md), "
        "or remove the line"
    )


@contextmanager
def part_errors_in_one_line(task: Task, part: str) -> Iterator[None]:
    """Turn an unexpected exception of a task's part into one line with the exception's file and line.

    Raises:
        DataError: the block raised such an exception.
    """
    try:
        yield
    except CallwrightError:
        raise
    except Exception as error:
        raise DataError(f"task {task.name}: its part `{part}` fails: {surprise_of(error)}") from error
