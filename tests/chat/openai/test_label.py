"""Every message names the model that it speaks of, and the settings where the user has them."""

import asyncio
import logging
from functools import partial

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from callwright.chat.model import Sampling
from callwright.chat.openai.completions import CompletionsClient, RequestFailedError
from callwright.chat.openai.endpoint import EndpointChat
from callwright.chat.openai.label import EndpointLabel
from callwright.chat.openai.queue import RequestQueue
from callwright.chat.openai.rate_limiter import Limiter
from callwright.errors import EndpointUnusableError, ProviderError
from tests.chat.conftest import unused_port
from tests.chat.openai.test_endpoint import MESSAGES, app_answering, completion
from tests.fakes import teacher

URL = "http://oracle.invalid/v1"  # of an app that answers in process
TOOLS = [{"type": "function", "function": {"name": "add"}}]
# section; the model at the beginning of a line; in the middle; its address, name, request and time limit
LABELS = [
    (
        "teacher",
        "teacher",
        "the teacher",
        [f"teacher.{name}" for name in ("base_url", "model", "request", "timeout_s")],
    ),
    (
        "evaluate.endpoints.student",
        "student",
        "the student",
        [f"evaluate.endpoints.student.{name}" for name in ("base_url", "model", "request", "timeout_s")],
    ),
    ("", "the model", "the model", ["the address", "the model's name", "request", "timeout_s"]),
]


async def error_line(section: str, response: Response, tools: bool = False) -> str:
    async def answer(_: Request) -> Response:
        return response

    model = EndpointChat(teacher(model="m"), app_answering(answer), section=section)
    with pytest.raises(ProviderError) as caught:
        await model.probe(MESSAGES, TOOLS if tools else [])
    await model.close()
    return str(caught.value)


@pytest.mark.parametrize(("section", "name", "subject", "settings"), LABELS)
async def test_refusals_name_the_model_and_its_settings(section, name, subject, settings):
    address, model, request, _ = settings
    refused = {"error": {"message": "no seed", "param": "seed"}}
    expected = {
        f"{name} at {URL} answered 401: check the key in TEACHER_API_KEY": JSONResponse({}, 401),
        f"{name} at {URL} has no model m (404): check {model} and {address}": JSONResponse({}, 404),
        f"{name} at {URL} answered 307, a redirect to nowhere, which is not followed: check {address}": Response(
            status_code=307
        ),
        f"{name} at {URL} answered 400: {request} can change or leave out seed (the server says: no seed)": (
            JSONResponse(refused, 400)
        ),
        f"{name} at {URL} sent something that is not a chat completion: check {address} (it often ends in /v1)": (
            JSONResponse([])
        ),
        f"{name} at {URL} sent a reply of more than 4 MiB: check {address} and rollout.max_tokens": Response(
            "x" * (4 * 2**20 + 1)
        ),
    }
    assert [await error_line(section, response) for response in expected.values()] == list(expected)
    line = await error_line(section, completion(), tools=True)
    assert line.startswith(f"{name} at {URL} answered without a tool call, 3 times: ")


@pytest.mark.parametrize(("section", "name", "subject", "settings"), LABELS)
async def test_failures_of_the_connection_name_the_model_and_its_settings(
    section, name, subject, settings, serve, monkeypatch
):
    address, _, _, timeout = settings
    url = f"http://127.0.0.1:{unused_port()}/v1"
    monkeypatch.delenv("TEACHER_API_KEY", raising=False)
    with pytest.raises(ProviderError, match=f"^the key of {subject} at {url} is missing: set TEACHER_API_KEY "):
        EndpointChat(teacher(base_url=url), section=section)
    monkeypatch.setenv("TEACHER_API_KEY", "any")
    with pytest.raises(ProviderError, match=f"^{name} at {url} cannot be reached: check {address} and that the"):
        await ask_once(EndpointChat(teacher(base_url=url), section=section))

    async def never(_: Request) -> Response:
        await asyncio.sleep(0.7)
        return completion()

    slow = serve(app_answering(never))
    with pytest.raises(ProviderError, match=f"^{name} at {slow} did not answer in time: raise {timeout} or check the"):
        await ask_once(EndpointChat(teacher(base_url=slow, timeout_s=0.2), section=section))
    client = CompletionsClient(URL, "key", teacher(), app_answering(completion), EndpointLabel(section))
    with pytest.raises(RequestFailedError, match=f"^a request to {subject} at {URL} cannot be encoded in UTF-8"):
        await client.ask([{"role": "user", "content": "\ud800"}], [], Sampling())
    await client.close()


async def ask_once(model: EndpointChat) -> None:
    try:
        await model.probe(MESSAGES)
    finally:
        await model.close()


@pytest.mark.parametrize(("section", "name", "subject", "settings"), LABELS)
async def test_the_log_and_the_queue_name_the_model(section, name, subject, settings, caplog):
    caplog.set_level(logging.WARNING, logger="callwright")
    label = EndpointLabel(section)
    limiter = Limiter("http://a/v1", label=label)
    limiter.record_busy(limiter.start_request(), 600, "busy")
    limiter.mark_down("gone")
    queue = RequestQueue([limiter], max_down_s=0, subject=label.subject)
    with pytest.raises(EndpointUnusableError, match=f"^no endpoint of {subject} has answered for 0 s: gone$"):
        await queue.acquire()
    limiter.record_answer()
    messages = [record.getMessage() for record in caplog.records]
    assert messages[0] == f"{name} at http://a/v1 is busy: no request for 600 s"
    assert messages[-1] == f"{name} at http://a/v1 answers again"


async def test_a_chat_whose_endpoints_stay_down_names_its_model(monkeypatch):
    monkeypatch.setenv("TEACHER_API_KEY", "any")
    monkeypatch.setattr("callwright.chat.openai.endpoint.RequestQueue", partial(RequestQueue, max_down_s=0.1))
    url = f"http://127.0.0.1:{unused_port()}/v1"
    model = EndpointChat(teacher(base_url=url, max_retries=9), section="evaluate.endpoints.student")
    line = f"^no endpoint of the student has answered for 0 s: student at {url} cannot be reached: check evaluate.endp"
    with pytest.raises(EndpointUnusableError, match=line):
        await model.reply(MESSAGES, [], Sampling())
    await model.close()
