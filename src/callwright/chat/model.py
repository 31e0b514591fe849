"""The interface of a chat model, as the agent uses it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from callwright.records import Usage

Message = dict[str, Any]  # a chat-completions message
Tool = dict[str, Any]  # an OpenAI tool schema


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample one chain. Temperature 0 is greedy; `max_tokens` limits each reply, `max_steps` the chain."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 128
    max_steps: int = 12
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A native tool call as the server sent it. The arguments are JSON text that is not checked yet."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One model reply. `finish` is `length` if it was cut at max_tokens."""

    text: str
    finish: Literal["stop", "length"]
    usage: Usage
    tool_calls: tuple[ToolCall, ...] = ()


class ChatModel(Protocol):
    """Anything that continues a conversation.

    `reply` raises ProviderError if the model cannot be reached or does not answer. An error is never a reply.

    Attributes:
        name: the model's name in chains.
    """

    name: str

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply: ...


@runtime_checkable
class ProbedChatModel(ChatModel, Protocol):
    """A chat model that can be tried before the work begins, because it may be set up wrongly.

    `probe` raises ProviderError if the model cannot be used, or did not answer this prompt. With tools, the answer has
    to be a tool call.
    """

    async def probe(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> None: ...
