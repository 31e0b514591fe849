"""What the agent asks of a chat model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from callwright.records import Usage

Message = dict[str, Any]  # a chat-completions message
Tool = dict[str, Any]  # an OpenAI tool schema


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample one chain: temperature 0 is greedy; `max_tokens` bounds one reply, `max_steps` the chain."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 128
    max_steps: int = 12
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A native tool call as the server sent it: the arguments are JSON text that nobody checked."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One model reply. `finish` is `length` when it was cut at max_tokens."""

    text: str
    finish: Literal["stop", "length"]
    usage: Usage
    tool_calls: tuple[ToolCall, ...] = ()


class ChatModel(Protocol):
    """Anything that continues a conversation.

    `reply` raises ProviderError when the model cannot be reached or does not answer; an error is never a reply.
    """

    name: str

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply: ...
