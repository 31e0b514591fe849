"""A hostile case: a problem, and what a server answers when a model is asked to solve it.

After those answers the server gives the right one, so what a chain comes to shows what was made of the hostile part.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sends."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A problem and its attempt.

    Attributes:
        answers: to the attempt's requests, in turn; then the problem's answer is answered.
        native: the same by the native protocol, where it differs.
        reason: what the failure of the attempt is counted under; empty: it becomes a chain.
        correct: the verdict on the chain; None: not looked at.
        correct_native: the same by the native protocol; None: as `correct`.
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


def said(text: str) -> Answer:
    return message(content=text)


def called(name: str, arguments: Any, content: str | None = None) -> Answer:
    return message(content=content, tool_calls=[{"function": {"name": name, "arguments": arguments}}])


def refused(status: int, **error: Any) -> Answer:
    return Answer(json.dumps({"error": error}).encode(), status)


def texts(*several: str, **fields: Any) -> Case:
    return Case(tuple(map(said, several)), **fields)


def numbered(kind: str, made: Iterable[Answer], **fields: Any) -> dict[str, Case]:
    return {f"{kind} {number}": Case((answer,), **fields) for number, answer in enumerate(made)}
