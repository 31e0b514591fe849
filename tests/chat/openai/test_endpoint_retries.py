"""Retries of requests that fail: the real client against servers that each fail in one way."""

import asyncio
import time
from collections import Counter
from email.utils import formatdate

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from callwright.chat.model import Sampling
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import EndpointUnusableError, ProviderError
from tests.chat.conftest import unused_port
from tests.chat.openai.test_endpoint import KEY, MESSAGES, app_answering, ask, completion, tool_completion
from tests.fakes import teacher

TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}]


def answering(*answers: Response):
    """An endpoint that gives these answers in order, then completions; and a list that grows with every request."""
    remaining, requests = list(answers), []

    async def answer(request: Request) -> Response:
        requests.append(await request.json())
        return remaining.pop(0) if remaining else completion()

    return answer, requests


async def test_a_retryable_failure_is_retried_and_counted():
    answer, requests = answering(JSONResponse({}, 408), JSONResponse({"choices": []}))
    model = EndpointChat(teacher(max_retries=2), app_answering(answer))
    assert (await ask(model)).text == "add(2, 3)"
    assert len(requests) == model.requests == 3
    assert model.failures == Counter({"answered 408": 1, "no completion": 1})


async def test_the_number_of_retries_is_limited():
    answer, requests = answering(*[JSONResponse({}, 500)] * 9)
    with pytest.raises(ProviderError, match="answered 500") as caught:
        await ask(EndpointChat(teacher(max_retries=1), app_answering(answer)))
    assert len(requests) == 2
    assert caught.value.reason == "answered 500"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
async def test_a_failure_that_is_not_retryable_is_requested_once(status):
    answer, requests = answering(*[JSONResponse({}, status)] * 9)
    with pytest.raises(ProviderError) as caught:
        await ask(EndpointChat(teacher(max_retries=5), app_answering(answer)))
    assert len(requests) == 1
    assert isinstance(caught.value, EndpointUnusableError) == (status in (401, 402, 404))  # no request can succeed


@pytest.mark.parametrize(
    "error",
    [
        {"code": "context_length_exceeded", "message": "Too much."},  # OpenAI
        {"message": "This model's maximum context length is 4096 tokens.", "code": 400},  # vLLM
        {"type": "exceed_context_size_error", "message": "the request exceeds the available size"},  # llama.cpp
    ],
    ids=["openai", "vllm", "llama.cpp"],
)
async def test_a_conversation_that_is_too_long_has_its_own_error_line(error):
    answer, requests = answering(JSONResponse({"error": error}, 400))
    model = EndpointChat(teacher(max_retries=5), app_answering(answer))
    with pytest.raises(ProviderError, match=r"answered 400: the conversation is longer than the model's context"):
        await model.reply(MESSAGES, TOOLS, Sampling())
    await model.close()
    assert len(requests) == 1
    assert model.failures == Counter({"too long": 1})


async def test_a_request_from_an_account_without_credit_is_not_retried():
    no_credit = {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota."}}
    answer, requests = answering(JSONResponse(no_credit, 429, {"retry-after": "1000"}))
    with pytest.raises(EndpointUnusableError, match="answered 429: the account has no credit left"):
        await ask(EndpointChat(teacher(max_retries=5), app_answering(answer)))
    assert len(requests) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_no_request_is_sent_before_the_shared_cool_down_is_over(status):
    request_times: list[float] = []
    refused = asyncio.Event()

    async def answer(_: Request) -> Response:
        request_times.append(time.monotonic())
        if len(request_times) > 1:
            return completion()
        refused.set()
        return JSONResponse({}, status, {"retry-after": "0.4"})

    model = EndpointChat(teacher(max_retries=1), app_answering(answer))
    first = asyncio.create_task(model.reply(MESSAGES, [], Sampling()))
    await refused.wait()
    await asyncio.sleep(0.1)  # until the first has read it
    others = [model.reply(MESSAGES, [], Sampling(seed=seed)) for seed in range(5)]
    replies = await asyncio.gather(first, *others)
    await model.close()
    assert len(replies) == 6
    assert len(request_times) == 7
    assert min(request_times[1:]) - request_times[0] >= 0.4


async def test_retry_after_may_be_a_date():
    until = int(time.time()) + 2  # whole seconds, so the date is one to two seconds away
    request_times: list[float] = []

    async def answer(_: Request) -> Response:
        request_times.append(time.time())
        return (
            JSONResponse({}, 503, {"retry-after": formatdate(until, usegmt=True)})
            if len(request_times) == 1
            else completion()
        )

    await ask(EndpointChat(teacher(max_retries=1), app_answering(answer)))
    assert request_times[1] >= until - 0.01


async def test_a_refusal_by_a_busy_endpoint_is_not_a_retry_while_it_answers_others():
    """The server answers two of ten requests at a time. In the end each has its reply, with one retry allowed."""
    in_flight = 0
    refused = 0

    async def answer(_: Request) -> Response:
        nonlocal in_flight, refused
        if in_flight >= 2:
            refused += 1
            return JSONResponse({}, 429, {"retry-after": "0.05"})
        in_flight += 1
        await asyncio.sleep(0.02)
        in_flight -= 1
        return completion()

    model = EndpointChat(teacher(max_retries=1), app_answering(answer))
    replies = await asyncio.gather(*(model.reply(MESSAGES, [], Sampling(seed=seed)) for seed in range(10)))
    await model.close()
    assert len(replies) == 10
    assert refused == model.failures["answered 429"] == model.requests - 10
    assert refused >= 8  # of the first ten at once


async def test_a_body_that_arrives_slowly_reaches_the_time_limit(serve, monkeypatch):
    async def drip():
        for _ in range(100):
            yield b" "
            await asyncio.sleep(0.05)  # between two chunks: far less than the limit

    async def answer(_: Request) -> Response:
        return StreamingResponse(drip(), media_type="application/json")

    monkeypatch.setenv("TEACHER_API_KEY", KEY)
    model = EndpointChat(teacher(base_url=serve(app_answering(answer)), timeout_s=0.3))
    with pytest.raises(ProviderError, match="did not answer in time") as caught:
        await ask(model)
    assert caught.value.reason == "timed out"


async def test_a_cancelled_request_gives_its_slot_back():
    held, release = asyncio.Event(), asyncio.Event()
    request_count = 0

    async def answer(_: Request) -> Response:
        nonlocal request_count
        request_count += 1
        if request_count == 1:
            return JSONResponse({}, 429, {"retry-after": "0.01"})  # now the limit is one request at a time
        held.set()
        await release.wait()
        return completion()

    model = EndpointChat(teacher(max_retries=3), app_answering(answer))
    holding = asyncio.create_task(model.reply(MESSAGES, [], Sampling()))
    await held.wait()
    waiting = [asyncio.create_task(model.reply(MESSAGES, [], Sampling(seed=seed))) for seed in (1, 2)]
    await asyncio.sleep(0.05)
    assert request_count == 2  # the others wait for the only slot
    for task in (waiting[0], holding):  # one waits for the slot, one holds it
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    release.set()
    assert (await asyncio.wait_for(waiting[1], 5)).text == "add(2, 3)"
    await model.close()


async def test_the_probe_demands_a_tool_call_if_there_are_tools():
    answer, requests = answering()  # always text
    model = EndpointChat(teacher(), app_answering(answer))
    await model.probe(MESSAGES)
    with pytest.raises(
        EndpointUnusableError, match=r"answered without a tool call, 3 times: set rollout\.protocol: text"
    ):
        await model.probe(MESSAGES, TOOLS)
    await model.close()
    assert len(requests) == 1 + 3


async def test_one_tool_call_in_three_tries_is_enough_for_the_probe():
    answer, requests = answering(completion(), tool_completion({"name": "add", "arguments": "{}"}))
    model = EndpointChat(teacher(), app_answering(answer))
    await model.probe(MESSAGES, TOOLS)
    await model.close()
    assert [request["seed"] for request in requests] == [0, 1]


async def test_the_probe_does_not_wait_for_an_unreachable_server(monkeypatch):
    monkeypatch.setenv("TEACHER_API_KEY", KEY)
    model = EndpointChat(teacher(base_url=f"http://127.0.0.1:{unused_port()}/v1", max_retries=9))
    with pytest.raises(ProviderError, match="cannot be reached"):
        await model.probe(MESSAGES)
    await model.close()
    assert model.requests == 1


async def test_the_probe_stops_at_a_refused_key():
    answer, requests = answering(JSONResponse({}, 401))
    model = EndpointChat(teacher(max_retries=9), app_answering(answer))
    with pytest.raises(EndpointUnusableError, match="answered 401: check the key in TEACHER_API_KEY"):
        await model.probe(MESSAGES)
    await model.close()
    assert len(requests) == 1
