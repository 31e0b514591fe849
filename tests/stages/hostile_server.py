"""A chat server with the hostile replies of `hostile_inputs`; it records its requests."""

import json
from collections import Counter
from typing import Any

from tests.stages.hostile_cases import Answer, Case, text_answer
from tests.stages.hostile_inputs import CASES

PLAIN = Case(())  # for a question that is not a case
JSON_TYPE = (b"content-type", b"application/json")


class HostileServer:
    """An ASGI app. The question names the case; each attempt gets the case's answers in order, then the right answer.

    Attributes:
        request_counts: number of requests of each case.
        paths: paths of the requests, with the query.
        headers: header lines of all requests.
    """

    def __init__(self) -> None:
        self.request_counts: Counter[str] = Counter()
        self.paths: set[str] = set()
        self.headers: set[str] = set()
        self._answer_index: dict[str, int] = {}

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
        self.request_counts[name] += 1
        index = self._answer_index[name] = 0 if len(messages) == 2 else self._answer_index[name] + 1
        case = CASES.get(name, PLAIN)
        answers = case.native if case.native and "tools" in request else case.answers
        return answers[index] if index < len(answers) else text_answer(f"answer(value={case.answer!r})")
