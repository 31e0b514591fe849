"""Callwright: small language models that reason by calling functions.

These names are for a module with functions or tasks of your own, and for use as a library (docs/library.md). Each is
imported on its first use, so that `import callwright` is fast.
"""

from typing import TYPE_CHECKING

from callwright.lazy import lazy_exports

if TYPE_CHECKING:
    from callwright.agent.loop import solve
    from callwright.chat.model import Sampling
    from callwright.chat.open_chat import open_chat
    from callwright.functions.function import function
    from callwright.functions.numbers import Number, WholeNumber
    from callwright.functions.toolbox import Toolbox
    from callwright.records import Chain, Problem
    from callwright.tasks.task import Grade, Task
    from callwright.tasks.view import View

__version__ = "0.1.0"
__all__ = [
    "Chain",
    "Grade",
    "Number",
    "Problem",
    "Sampling",
    "Task",
    "Toolbox",
    "View",
    "WholeNumber",
    "function",
    "open_chat",
    "solve",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Chain": "callwright.records",
        "Grade": "callwright.tasks.task",
        "Number": "callwright.functions.numbers",
        "Problem": "callwright.records",
        "Sampling": "callwright.chat.model",
        "Task": "callwright.tasks.task",
        "Toolbox": "callwright.functions.toolbox",
        "View": "callwright.tasks.view",
        "WholeNumber": "callwright.functions.numbers",
        "function": "callwright.functions.function",
        "open_chat": "callwright.chat.open_chat",
        "solve": "callwright.agent.loop",
    },
)
