"""Hostile and broken servers: each request ends with a reply or a RequestFailedError, within limits."""

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
from tests.chat.openai.hostile_servers import KEY, MESSAGES, answers, check, client_for, http, serve_canned
from tests.chat.openai.test_endpoint import app_answering, ask, completion
from tests.fakes import teacher

GOOD = b'{"choices": [{"message": {"content": "add(2, 3)"}, "finish_reason": "stop"}]}'


@pytest.fixture(autouse=True)
def key(monkeypatch) -> None:
    monkeypatch.setenv("TEACHER_API_KEY", KEY)


def test_no_response_of_a_server_raises_anything_but_request_failed_error():
    with asyncio.Runner() as runner:
        server = serve_canned()
        canned = runner.run(server.__aenter__())
        client = client_for(canned, timeout_s=20)

        @settings(max_examples=500, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
        @given(answers())
        def every_answer(answer: bytes) -> None:
            runner.run(asyncio.wait_for(check(canned, client, answer), 60))

        every_answer()
        runner.run(client.close())
        runner.run(server.__aexit__(None, None, None))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
async def test_a_body_is_read_up_to_a_limit_after_decompression_and_not_requested_again(coding, serve):
    """204 kB of gzip that contain 200 MB once took 402 MB of memory."""
    requests: list[int] = []
    compressed = {"gzip": gzip.compress(b" " * 200 * 2**20), "deflate": zlib.compress(b" " * 200 * 2**20)}

    async def long():
        for _ in range(1_000):
            yield b" " * 2**16

    async def answer(_: Request) -> Response:
        requests.append(1)
        if coding == "identity":
            return StreamingResponse(long())
        return Response(compressed[coding], headers={"content-encoding": coding})

    url = serve(app_answering(answer))
    model = EndpointChat(teacher(base_url=url, max_retries=5))
    tracemalloc.start()
    with pytest.raises(ProviderError, match=r"sent a reply of more than 4 MiB: check the address") as caught:
        await ask(model)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.reason == "reply too large"
    assert len(requests) == 1
    assert peak_bytes < 10 * MAX_REPLY_BYTES


async def test_the_body_of_an_error_is_read_up_to_a_limit_and_its_status_is_still_used(serve):
    compressed = gzip.compress(b"x" * 200 * 2**20)

    async def answer(_: Request) -> Response:
        return Response(compressed, 500, {"content-encoding": "gzip"})

    tracemalloc.start()
    with pytest.raises(ProviderError, match="answered 500 ") as caught:
        await ask(EndpointChat(teacher(base_url=serve(app_answering(answer)))))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.reason == "answered 500"
    assert len(str(caught.value)) < 500
    assert peak_bytes < 100 * MAX_ERROR_BYTES


async def test_a_large_body_is_parsed_in_a_thread():
    body = json.dumps(
        {"choices": [{"message": {"content": "add(2, 3)"}}], "extra": [0.5] * 60_000, "more": list(range(300_000))}
    ).encode()
    assert MAX_REPLY_BYTES / 2 < len(body) < MAX_REPLY_BYTES
    threads: list[str] = []

    def parse(data: bytes) -> object:
        threads.append(threading.current_thread().name)
        return json.loads(data)

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
async def test_a_json_bomb_is_not_a_completion(body):
    async def answer(_: Request) -> Response:
        return Response(body)

    with pytest.raises(ProviderError, match="sent something that is not a chat completion"):
        await ask(EndpointChat(teacher(), app_answering(answer)))


async def test_if_a_key_occurs_twice_the_last_value_counts():
    body = b'{"choices": [{"message": {"content": "add(1, 1)", "content": "add(2, 3)"}}]}'
    async with serve_canned() as canned:
        client = client_for(canned)
        reply = await check(canned, client, http(body))
        await client.close()
    assert isinstance(reply, Reply)
    assert reply.text == "add(2, 3)"


async def test_headers_from_the_environment_are_not_sent(monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-ambient")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-ambient")
    monkeypatch.setenv("OPENAI_API_KEY", "key-ambient")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "admin-ambient")
    monkeypatch.setenv("OPENAI_WEBHOOK_SECRET", "hook-ambient")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://ambient.invalid/v1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Ambient: ambient\nAuthorization: Bearer ambient\nOdd: \u00fc")
    async with serve_canned() as canned:
        client = client_for(canned)
        assert isinstance(await check(canned, client, http(GOOD, 200, ("set-cookie", "a=ambient; Path=/"))), Reply)
        first = canned.requests
        assert isinstance(await check(canned, client, http(GOOD)), Reply)
        await client.close()
    for request in (*first, *canned.requests):
        head = request.split(b"\r\n\r\n")[0].decode()
        fields = dict(line.split(": ", 1) for line in head.lower().split("\r\n")[1:])
        assert fields["authorization"] == f"bearer {KEY}".lower()
        assert "ambient" not in head.lower()
        assert set(fields) <= {
            *("host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent"),
            *("authorization", "x-stainless-retry-count", "x-stainless-read-timeout"),
        }


@pytest.mark.parametrize(
    ("base", "path"),
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
async def test_the_path_is_added_before_the_query(base, path):
    async with serve_canned() as canned:
        canned.url = canned.url.removesuffix("/v1") + base
        client = client_for(canned)
        assert isinstance(await check(canned, client, http(GOOD)), Reply)
        await client.close()
        assert canned.requests[0].split(b" ")[1].decode() == path
    assert completions_url(f"http://h{base}") == f"http://h{path}"


async def test_a_request_that_cannot_be_encoded_fails_before_it_is_sent():
    async with serve_canned() as canned:
        client = client_for(canned)
        with pytest.raises(
            RequestFailedError, match=r"cannot be encoded in UTF-8: it contains half of a surrogate"
        ) as caught:
            await client.ask([*MESSAGES, {"role": "assistant", "content": "Done \ud83d"}], [], Sampling())
        await client.close()
        assert canned.requests == []
    assert caught.value.error.reason == "unwritable request"
    assert not caught.value.retryable


async def test_a_request_that_cannot_be_encoded_does_not_count_against_the_endpoint():
    async def answer(_: Request) -> Response:
        return completion()

    model = EndpointChat(teacher(max_retries=5), app_answering(answer))
    for _ in range(30):
        with pytest.raises(ProviderError, match="cannot be encoded"):
            await model.reply([{"role": "user", "content": "\udc00"}], [], Sampling())
    assert (await ask(model)).text == "add(2, 3)"  # it was never marked as down
    assert model.requests == 31
