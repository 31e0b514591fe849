"""The oracle teacher: a stand-in for a large model that answers from the problems' known solutions.

An ASGI app that speaks the OpenAI chat-completions protocol, so the same client talks to it as to any endpoint:
in process (httpx ASGI transport) or over a port. It is the only stand-in in Callwright, and named so everywhere.
"""

import json
import random
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from callwright.chat.mistakes import draw_mistake, write_script
from callwright.records import Problem
from callwright.tasks import TASKS

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MODEL = "oracle"
_RESULT = "Result: "


def create_app(problems: Iterable[Problem], mistakes: Mapping[str, float], seed: int = 0) -> "Starlette":
    """The oracle as an ASGI app with `/v1/chat/completions` and `/v1/models`.

    Args:
        problems: with gold solutions; a question that is none of them is answered 422.
        mistakes: share of attempts per mistake, in all at most 1 (see `callwright.chat.mistakes`). An attempt is told
            by the request's `seed`: the same seed makes the same mistake throughout a conversation.
        seed: of the oracle itself.
    """
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    known = {problem.question: problem for problem in problems if problem.solution}

    async def completions(request: "Request") -> "Response":
        try:
            body = json.loads(await request.body())
            messages = body["messages"]
            question = next(message["content"] for message in messages if message["role"] == "user")
            problem = known.get(question)
        except (ValueError, KeyError, TypeError, StopIteration):
            return JSONResponse(_error("the request is not a chat completion with text messages"), 400)
        if problem is None:
            return JSONResponse(_error("the oracle teacher knows only the problems it was started with"), 422)
        attempt = f"{seed}/{body.get('seed', 0)}/{problem.question}"
        text = _answer(problem, messages, mistakes, attempt)
        return JSONResponse(_completion(body, messages, text))

    async def models(_: "Request") -> "Response":
        return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "callwright"}]})

    return Starlette(
        routes=[
            Route("/v1/chat/completions", completions, methods=["POST"]),
            Route("/v1/models", models),
        ]
    )


def _answer(problem: Problem, messages: list[dict[str, Any]], mistakes: Mapping[str, float], attempt: str) -> str:
    rng = random.Random(attempt)
    script = write_script(problem, TASKS[problem.task].toolbox, draw_mistake(mistakes, rng), rng)
    results = [message["content"] for message in messages if message["role"] == "user"][1:]
    return script.reply([text.removeprefix(_RESULT) if text.startswith(_RESULT) else None for text in results])


def _completion(body: Mapping[str, Any], messages: list[dict[str, Any]], text: str) -> dict[str, Any]:
    # A stand-in has no tokenizer: it counts words, which is enough to exercise budgets and reports.
    prompt = sum(len(str(message.get("content") or "").split()) for message in messages)
    completion = len(text.split())
    return {
        "id": f"chatcmpl-{random.Random(text).getrandbits(48):012x}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body.get("model", MODEL),
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion},
    }


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error"}}
