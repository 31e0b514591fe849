"""Servers that mean harm or are broken: each request ends in a reply or in a RequestFailedError, within bounds."""

import asyncio
import gzip
import json
import threading
import tracemalloc
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from callwright.chat.model import Reply, Sampling
from callwright.chat.openai.client import MAX_ERROR_BYTES, MAX_REPLY_BYTES
from callwright.chat.openai.completions import RequestFailedError, completions_url, parse_off_the_event_loop
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import ProviderError
from tests.chat.openai.hostile_servers import KEY, MESSAGES, answers, check, client_for, http, raw_server
from tests.chat.openai.test_endpoint import app_answering, ask, completion
from tests.fakes import teacher

GOOD = b'{"choices": [{"message": {"content": "add(2, 3)"}, "finish_reason": "stop"}]}'


@pytest.fixture(autouse=True)
def key(monkeypatch) -> None:
    monkeypatch.setenv("TEACHER_API_KEY", KEY)


def test_no_answer_of_a_server_raises_anything_but_a_lost_error():
    with asyncio.Runner() as runner:
        server = raw_server()
        raw = runner.run(server.__aenter__())
        client = client_for(raw, timeout_s=20)

        @settings(max_examples=500, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
        @given(answers())
        def every_answer(answer: bytes) -> None:
            runner.run(asyncio.wait_for(check(raw, client, answer), 60))

        every_answer()
        runner.run(client.close())
        runner.run(server.__aexit__(None, None, None))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
async def test_a_body_is_read_up_to_a_limit_after_decompression_and_not_asked_for_again(coding, serve):
    """204 kB of gzip that hold 200 MB once took 402 MB of memory."""
    asked: list[int] = []
    packed = {"gzip": gzip.compress(b" " * 200 * 2**20), "deflate": zlib.compress(b" " * 200 * 2**20)}

    async def long():
        for _ in range(1_000):
            yield b" " * 2**16

    async def answer(_: Request) -> Response:
        asked.append(1)
        if coding == "identity":
            return StreamingResponse(long())
        return Response(packed[coding], headers={"content-encoding": coding})

    url = serve(app_answering(answer))
    model = EndpointChat(teacher(base_url=url, max_retries=5))
    tracemalloc.start()
    with pytest.raises(ProviderError, match=r"sent a reply of more than 4 MiB: check teacher\.base_url") as caught:
        await ask(model)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.reason == "reply too large"
    assert len(asked) == 1
    assert most < 10 * MAX_REPLY_BYTES


async def test_the_body_of_an_error_is_read_up_to_a_limit_and_its_status_still_counts(serve):
    packed = gzip.compress(b"x" * 200 * 2**20)

    async def answer(_: Request) -> Response:
        return Response(packed, 500, {"content-encoding": "gzip"})

    tracemalloc.start()
    with pytest.raises(ProviderError, match="answered 500 ") as caught:
        await ask(EndpointChat(teacher(base_url=serve(app_answering(answer)))))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.reason == "answered 500"
    assert len(str(caught.value)) < 500
    assert most < 100 * MAX_ERROR_BYTES


async def test_the_largest_body_that_is_read_is_parsed_beside_the_event_loop():
    body = json.dumps(
        {"choices": [{"message": {"content": "add(2, 3)"}}], "extra": [0.5] * 60_000, "more": list(range(300_000))}
    ).encode()
    assert MAX_REPLY_BYTES / 2 < len(body) < MAX_REPLY_BYTES
    threads: list[str] = []

    def parse(given: bytes) -> object:
        threads.append(threading.current_thread().name)
        return json.loads(given)

    await parse_off_the_event_loop(parse, body)
    await parse_off_the_event_loop(parse, b"{}")
    assert threads[0] != threading.main_thread().name == threads[1]

    async def answer(_: Request) -> Response:
        return Response(body)

    assert (await ask(EndpointChat(teacher(), app_answering(answer)))).text == "add(2, 3)"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"choices":' * 20_000,
        b'{"choices": [{"message": {"content": "x"}}], "more": ' + b"[" * 90_000 + b"]" * 90_000 + b"}",
        b'{"choices": [{"message": {"content": "x"}}], "more": [' + b"[]," * 200_000 + b"0]}",
    ],
    ids=["lists", "objects", "closed", "wide"],
)
async def test_a_bomb_of_json_is_no_completion(body):
    async def answer(_: Request) -> Response:
        return Response(body)

    with pytest.raises(ProviderError, match="sent something that is not a chat completion"):
        await ask(EndpointChat(teacher(), app_answering(answer)))


async def test_of_a_key_that_stands_there_twice_the_last_one_counts():
    body = b'{"choices": [{"message": {"content": "add(1, 1)", "content": "add(2, 3)"}}]}'
    async with raw_server() as raw:
        client = client_for(raw)
        reply = await check(raw, client, http(body))
        await client.close()
    assert isinstance(reply, Reply)
    assert reply.text == "add(2, 3)"


async def test_only_what_the_request_needs_is_sent_whatever_the_environment_says(monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-ambient")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-ambient")
    monkeypatch.setenv("OPENAI_API_KEY", "key-ambient")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "admin-ambient")
    monkeypatch.setenv("OPENAI_WEBHOOK_SECRET", "hook-ambient")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://ambient.invalid/v1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Ambient: ambient\nAuthorization: Bearer ambient\nOdd: \u00fc")
    async with raw_server() as raw:
        client = client_for(raw)
        assert isinstance(await check(raw, client, http(GOOD, 200, ("set-cookie", "a=ambient; Path=/"))), Reply)
        first = raw.requests
        assert isinstance(await check(raw, client, http(GOOD)), Reply)
        await client.close()
    for request in (*first, *raw.requests):
        head = request.split(b"\r\n\r\n")[0].decode()
        fields = dict(line.split(": ", 1) for line in head.lower().split("\r\n")[1:])
        assert fields["authorization"] == f"bearer {KEY}".lower()
        assert "ambient" not in head.lower()
        assert set(fields) <= {
            *("host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent"),
            *("authorization", "x-stainless-retry-count", "x-stainless-read-timeout"),
        }


@pytest.mark.parametrize(
    ("base", "asked"),
    [
        ("/v1", "/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("", "/chat/completions"),
        ("/", "/chat/completions"),
        (
            "/openai/deployments/gpt/?api-version=2024-10-21",
            "/openai/deployments/gpt/chat/completions?api-version=2024-10-21",
        ),
        ("/v1?a=1&a=2&b=x%20y", "/v1/chat/completions?a=1&a=2&b=x%20y"),
        ("/a%2Fb/v1", "/a%2Fb/v1/chat/completions"),
    ],
)
async def test_the_path_is_joined_before_the_query_which_is_kept(base, asked):
    async with raw_server() as raw:
        raw.url = raw.url.removesuffix("/v1") + base
        client = client_for(raw)
        assert isinstance(await check(raw, client, http(GOOD)), Reply)
        await client.close()
        assert raw.requests[0].split(b" ")[1].decode() == asked
    assert completions_url(f"http://h{base}") == f"http://h{asked}"


async def test_a_request_that_cannot_be_encoded_is_our_failure_and_never_reaches_the_server():
    async with raw_server() as raw:
        client = client_for(raw)
        with pytest.raises(
            RequestFailedError, match=r"cannot be encoded in UTF-8: it contains half of a surrogate"
        ) as caught:
            await client.ask([*MESSAGES, {"role": "assistant", "content": "Done \ud83d"}], [], Sampling())
        await client.close()
        assert raw.requests == []
    assert caught.value.error.reason == "unwritable request"
    assert not caught.value.retryable


async def test_an_endpoint_that_cannot_be_sent_a_request_is_not_blamed_for_it():
    async def answer(_: Request) -> Response:
        return completion()

    model = EndpointChat(teacher(max_retries=5), app_answering(answer))
    for _ in range(30):
        with pytest.raises(ProviderError, match="cannot be encoded"):
            await model.reply([{"role": "user", "content": "\udc00"}], [], Sampling())
    assert (await ask(model)).text == "add(2, 3)"  # it was never left out
    assert model.requests == 31
