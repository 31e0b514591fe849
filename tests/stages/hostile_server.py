"""A chat server whose replies are the hostile ones of `hostile_inputs`, and what it was asked."""

import json
from collections import Counter
from typing import Any

from tests.stages.hostile_cases import Answer, Case, said
from tests.stages.hostile_inputs import CASES

PLAIN = Case(())  # of a question that is no case's
JSON_TYPE = (b"content-type", b"application/json")


class HostileServer:
    """An ASGI app: the question names the case, and each attempt gets that case's answers in turn, then its last one.

    Attributes:
        asked: requests of each case.
        paths: where it was asked, with the query.
        headers: names and values of all requests.
    """

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.paths: set[str] = set()
        self.headers: set[str] = set()
        self._place: dict[str, int] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.paths.add(f"{scope['path']}?{scope['query_string'].decode()}")
        self.headers |= {f"{name.decode()}: {value.decode()}" for name, value in scope["headers"]}
        answer = self._answer(json.loads(body))
        await send({"type": "http.response.start", "status": answer.status, "headers": [JSON_TYPE, *answer.headers]})
        await send({"type": "http.response.body", "body": answer.body})

    def _answer(self, request: dict[str, Any]) -> Answer:
        messages = request["messages"]
        name = messages[1]["content"].partition(":")[0]
        self.asked[name] += 1
        place = self._place[name] = 0 if len(messages) == 2 else self._place[name] + 1
        case = CASES.get(name, PLAIN)
        answers = case.native if case.native and "tools" in request else case.answers
        return answers[place] if place < len(answers) else said(f"answer(value={case.answer!r})")
