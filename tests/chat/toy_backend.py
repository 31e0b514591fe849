"""A backend of a user's own: one class, and one line in BACKENDS. Its model adds 2 and 3 and is right."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from callwright.chat.backend import Backend
from callwright.chat.model import ChatModel, Message, Reply, Sampling, Tool
from callwright.records import Usage


class ToyBackend(Backend):
    """Opens models whose address is toy:NUMBER. `log` says what was opened and closed."""

    log: list[str] = []  # noqa: RUF012 - shared by all on purpose

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ChatModel]:
        self.log.append(f"opened {self.address} as {self.name}")
        try:
            yield ToyChat(self.name)
        finally:
            self.log.append(f"closed {self.address}")


class ToyChat:
    """Calls add(2, 3) first, then answers 5."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        is_first = messages[-1]["role"] == "user" and len(messages) == 2
        return Reply("add(a=2, b=3)" if is_first else "answer(value=5)", "stop", Usage(10, 2))
