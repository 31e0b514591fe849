"""How steps become messages, and a reply becomes calls. Everything a model reads is rendered from steps alone.

So the prompt of a training pair and the prompt at inference are the same text by construction. There are two
protocols: `text` works with any chat model, `native` uses the tools of the chat-completions API or of a chat template
(docs/decisions/0006).
"""

from collections.abc import Sequence
from typing import Protocol as Interface

from callwright.agent.native import NATIVE
from callwright.agent.text import TEXT
from callwright.chat.model import Message, Reply, Tool
from callwright.errors import CallError
from callwright.records import Call, Protocol, Step
from callwright.tasks.task import Task

ENGINE_VERSION = 1


__all__ = ["NATIVE", "PROTOCOLS", "TEXT", "AgentProtocol"]


class AgentProtocol(Interface):
    """One way to offer functions to a model and to read which it calls."""

    @property
    def name(self) -> Protocol: ...

    def render(self, task: Task, question: str, steps: Sequence[Step]) -> tuple[list[Message], list[Tool]]:
        """Messages and tools that ask for the step after `steps`."""

    def reply_message(self, step: Step, step_index: int) -> Message:
        """The step at `place` (0-based) as the assistant's message: trained on, and kept in the history."""

    def read(self, reply: Reply) -> list[tuple[str, Call | CallError]]:
        """What a reply says, in order: at least one thought with its call, or with what is wrong with it."""


PROTOCOLS: dict[Protocol, AgentProtocol] = {"text": TEXT, "native": NATIVE}
