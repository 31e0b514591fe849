"""The tasks by name. A new task is one file and one line here."""

from callwright.tasks.arithmetic import ARITHMETIC
from callwright.tasks.task import Task

TASKS: dict[str, Task] = {task.name: task for task in (ARITHMETIC,)}
