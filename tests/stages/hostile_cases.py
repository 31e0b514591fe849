"""A hostile case: a problem, and the server's answers when a model is asked to solve it.

After these answers the server gives the right one, so the chain shows how the hostile part was handled.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's response."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A problem and its attempt.

    Attributes:
        answers: responses to the attempt's requests, in order; then the server sends the problem's right answer.
        native: the same for the native protocol, if it differs.
        reason: the reason under which the failed attempt is counted; empty: the attempt becomes a chain.
        correct: the verdict on the chain; None: not checked.
        correct_native: the same for the native protocol; None: as `correct`.
    """

    answers: tuple[Answer, ...]
    native: tuple[Answer, ...] = ()
    task: str = "arithmetic"
    question: str = "what is 2 plus 3?"
    answer: Any = 5
    solution: tuple[str, ...] = ()
    reason: str = ""
    correct: bool | None = None
    correct_native: bool | None = None

    def verdict(self, protocol: str) -> bool | None:
        return self.correct if protocol == "text" or self.correct_native is None else self.correct_native


def completed(choice: Any, **more: Any) -> Answer:
    return Answer(json.dumps({"object": "chat.completion", "choices": [choice], **more}).encode())


def message(finish: str = "stop", **fields: Any) -> Answer:
    return completed({"message": {"role": "assistant", **fields}, "finish_reason": finish})


def text_answer(text: str) -> Answer:
    return message(content=text)


def call_answer(name: str, arguments: Any, content: str | None = None) -> Answer:
    return message(content=content, tool_calls=[{"function": {"name": name, "arguments": arguments}}])


def refused(status: int, **error: Any) -> Answer:
    return Answer(json.dumps({"error": error}).encode(), status)


def texts(*several: str, **fields: Any) -> Case:
    return Case(tuple(map(text_answer, several)), **fields)


def numbered(kind: str, answers: Iterable[Answer], **fields: Any) -> dict[str, Case]:
    return {f"{kind} {number}": Case((answer,), **fields) for number, answer in enumerate(answers)}
