"""The oracle teacher: a stand-in for a large model that answers from the problems' known solutions.

An ASGI app that speaks the OpenAI chat-completions protocol, so the same client talks to it as to any endpoint:
in process (httpx ASGI transport) or over a port. The other stand-in is the embedded student.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from callwright.agent.call_thread import CALL_THREAD
from callwright.agent.protocol import PROTOCOLS
from callwright.records import Problem
from callwright.standins.oracle.confused_names import check_confused_names
from callwright.standins.oracle.script import Script, draw_mistake, write_script
from callwright.standins.oracle.server_faults import NO_FAULTS, FaultInjection, ServerFaults
from callwright.tasks import TASKS, Tasks
from callwright.tasks.task import Task
from callwright.tasks.view import PLAIN, View

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

ORACLE_MODEL = "oracle"
_RESULT, _ERROR = "Result: ", "Error: "  # as `callwright.agent.text` and `callwright.agent.native` begin messages


def create_app(
    problems: Iterable[Problem],
    mistakes: Mapping[str, float],
    seed: int = 0,
    faults: ServerFaults = NO_FAULTS,
    latency_s: float = 0.0,
    tasks: Tasks = TASKS,
    views: Mapping[str, Sequence[View]] | None = None,
) -> "Starlette":
    """The oracle as an ASGI app with `/v1/chat/completions` and `/v1/models`.

    It answers a request with `tools` with a tool call, and a request without with text.

    Args:
        problems: with gold solutions; those without are ignored. An unknown question gets status 422.
        mistakes: share of attempts per mistake, together at most 1 (see `callwright.standins.oracle.script`). The
            request's `seed` identifies the attempt: the same seed makes the same mistake throughout a conversation.
        seed: of the oracle itself.
        faults: injected into the answers, and counted in the app's `state.injected`. A retry is answered as if it were
            the first request.
        latency_s: of every good answer.
        tasks: the tasks of the problems.
        views: task -> views in which the oracle is asked. It knows them by their system messages, and takes any other
            message for the plain view.

    Raises:
        ParamsError: there are mistakes, and a task of the problems names a function in its part `mistakes` that does
            not exist.
    """
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    problems_by_question = {problem.question: problem for problem in problems if problem.solution}
    if any(mistakes.values()):
        for name in {problem.task: None for problem in problems_by_question.values()}:
            if name in tasks:
                check_confused_names(tasks[name], tasks)
    views_by_system_message = _views_by_system_message(tasks, views or {})
    injected: Counter[str] = Counter()

    async def completions(request: "Request") -> "Response":
        try:
            body = json.loads(await request.body())
            messages = body["messages"]
            question = next(message["content"] for message in messages if message["role"] == "user")
            problem = problems_by_question.get(question)
        except (ValueError, KeyError, TypeError, StopIteration):
            return JSONResponse(_error("the request is not a chat completion with text messages"), 400)
        if problem is None:
            return JSONResponse(_error("the oracle teacher knows only the problems it was started with"), 422)
        attempt = f"{seed}/{body.get('seed', 0)}/{problem.question}"
        if latency_s:
            await asyncio.sleep(latency_s)
        task = tasks[problem.task]
        view = views_by_system_message.get((task.name, str(messages[0].get("content"))), PLAIN)
        # In the call thread, because it executes functions.
        return JSONResponse(await CALL_THREAD.run(_complete, body, problem, task, view, mistakes, attempt))

    async def models(_: "Request") -> "Response":
        return JSONResponse(
            {"object": "list", "data": [{"id": ORACLE_MODEL, "object": "model", "owned_by": "callwright"}]}
        )

    app = Starlette(
        routes=[
            Route("/v1/chat/completions", completions, methods=["POST"]),
            Route("/v1/models", models),
        ],
        middleware=[Middleware(FaultInjection, faults, seed, injected)] if faults != NO_FAULTS else [],
    )
    app.state.injected = injected
    return app


def _views_by_system_message(tasks: Tasks, views: Mapping[str, Sequence[View]]) -> dict[tuple[str, str], View]:
    """The views by their task and the system message that shows them, in either protocol."""
    return {
        (name, protocol.render(tasks[name], "", (), view)[0][0]["content"]): view
        for name, task_views in views.items()
        for view in task_views
        for protocol in PROTOCOLS.values()
    }


def _complete(
    body: Mapping[str, Any], problem: Problem, task: Task, view: View, mistakes: Mapping[str, float], attempt: str
) -> dict[str, Any]:
    script, observed = _make_script(problem, task, mistakes, attempt), _earlier_results(body["messages"])
    script = script.shown(view, task.toolbox)
    return (
        _tool_call_completion(body, script, observed) if body.get("tools") else _text_completion(body, script, observed)
    )


def _make_script(problem: Problem, task: Task, mistakes: Mapping[str, float], attempt: str) -> Script:
    rng = random.Random(attempt)
    return write_script(problem, task, draw_mistake(mistakes, rng), rng)


def _earlier_results(messages: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """The observation of each earlier reply, None for an error: the messages to the model after the question."""
    results = [message for message in messages if message["role"] in ("user", "tool")][1:]
    return [_parse_observation(str(message["content"]), message["role"]) for message in results]


def _parse_observation(text: str, role: str) -> str | None:
    if role == "tool":
        return None if text.startswith(_ERROR) else text
    return text.removeprefix(_RESULT) if text.startswith(_RESULT) else None


def _text_completion(body: Mapping[str, Any], script: Script, observed: Sequence[str | None]) -> dict[str, Any]:
    text = script.reply(observed)
    return _completion(body, {"role": "assistant", "content": text}, "stop", text)


def _tool_call_completion(body: Mapping[str, Any], script: Script, observed: Sequence[str | None]) -> dict[str, Any]:
    call = script.tool_call(observed)
    function = {"name": call.name, "arguments": call.arguments}
    tool_call = {"id": f"call{len(observed):05d}", "type": "function", "function": function}
    message = {"role": "assistant", "content": None, "tool_calls": [tool_call]}
    return _completion(body, message, "tool_calls", f"{call.name} {call.arguments}")


def _completion(body: Mapping[str, Any], reply: dict[str, Any], finish_reason: str, reply_text: str) -> dict[str, Any]:
    # The oracle has no tokenizer. It counts words as tokens, which is enough to test budgets and reports.
    words = [
        _word_count(message.get("content") or "") + _word_count(message.get("tool_calls") or "")
        for message in body["messages"]
    ]
    tools = _word_count(body.get("tools") or "")
    prompt, completion = sum(words) + tools, _word_count(reply_text)
    cached = sum(words[:-2]) + tools if len(words) > 3 else 0  # the previous prompt: without the last reply and result
    return {
        "id": f"chatcmpl-{random.Random(reply_text).getrandbits(48):012x}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body.get("model", ORACLE_MODEL),
        "choices": [{"index": 0, "message": reply, "finish_reason": finish_reason}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
    }


def _word_count(content: Any) -> int:
    return len((content if isinstance(content, str) else json.dumps(content)).split())


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error"}}
