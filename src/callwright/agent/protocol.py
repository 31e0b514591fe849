"""The protocols, which render steps as messages and read calls from replies.

Everything a model reads is rendered from the recorded steps alone, so the prompt of a training pair and the prompt at
inference are the same text. There are two protocols: `text` works with any chat model, `native` uses the tools of the
chat-completions API or of a chat template (docs/decisions/0006).
"""

from collections.abc import Sequence
from typing import Protocol as TypingProtocol

from callwright.agent.native import NATIVE
from callwright.agent.parsing.parse import ThoughtsAndCalls
from callwright.agent.text import TEXT
from callwright.chat.model import Message, Reply, Tool
from callwright.records import Protocol, Step
from callwright.tasks.task import Task
from callwright.tasks.view import PLAIN, View

ENGINE_VERSION = 2
"""Version of the code that turns replies into steps; finished attempts are stored under it.

Raise it if the same replies would make other steps: a reply is parsed differently, a limit changes, or a line that the
model is shown (a result, an error) is worded differently. Attempts in journals are then run again, because the models
would have read something else. tests/agent/test_engine.py fails until it is raised.

Prompts, signatures and the source of the functions are part of an attempt's key, and need no new version.
"""

__all__ = ["ENGINE_VERSION", "NATIVE", "PROTOCOLS", "TEXT", "AgentProtocol"]


class AgentProtocol(TypingProtocol):
    """A way to offer functions to a model and to parse its calls."""

    @property
    def name(self) -> Protocol: ...

    def render(
        self, task: Task, question: str, steps: Sequence[Step], view: View = PLAIN
    ) -> tuple[list[Message], list[Tool]]:
        """Messages and tools that ask for the step after `steps`, which have the functions' true names."""

    def reply_message(self, step: Step, step_index: int) -> Message:
        """A step as the assistant's message, for the history and as a training target.

        Args:
            step: under the names that the model is shown (`View.show_step`).
            step_index: index of the step in its chain, 0-based.
        """

    def read(self, reply: Reply) -> ThoughtsAndCalls:
        """The thoughts and calls of a reply in order, at least one pair; an unreadable call is a CallError."""


PROTOCOLS: dict[Protocol, AgentProtocol] = {"text": TEXT, "native": NATIVE}
