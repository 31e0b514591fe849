import traceback

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from callwright.chat.model import Reply, Sampling, ToolCall
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import ProviderError
from callwright.records import Usage
from tests.chat.conftest import unused_port
from tests.fakes import teacher

KEY = "sk-planted-1f9e7c"
MESSAGES = [{"role": "user", "content": "Two and three?"}]


def app_answering(answer) -> Starlette:
    """An endpoint that answers every request with `answer(request)`."""
    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


def completion(content: str | None = "add(2, 3)", finish: str = "stop", details: object = None) -> JSONResponse:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12, "prompt_tokens_details": details}
    return JSONResponse(
        {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
    )


async def ask(model: EndpointChat, sampling: Sampling | None = None) -> Reply:
    try:
        return await model.reply(MESSAGES, [], sampling or Sampling())
    finally:
        await model.close()


def test_a_missing_key_is_one_line_that_names_the_variable(monkeypatch):
    monkeypatch.delenv("MY_TEACHER_KEY", raising=False)
    with pytest.raises(ProviderError) as caught:
        EndpointChat(teacher(base_url="http://127.0.0.1:8000/v1", api_key_env="MY_TEACHER_KEY"), section="teacher")
    assert str(caught.value) == (
        "the key of the teacher at http://127.0.0.1:8000/v1 is missing: set MY_TEACHER_KEY "
        "(any text if the server needs no key)"
    )


def test_the_oracle_needs_no_key(monkeypatch):
    monkeypatch.delenv("TEACHER_API_KEY", raising=False)
    assert EndpointChat(teacher(), app_answering(completion)).name == "oracle"


async def test_a_reply_that_used_all_its_tokens_for_thinking_is_empty_and_cut():
    model = EndpointChat(teacher(), app_answering(lambda _: completion(None, finish="length")))
    reply = await ask(model)
    assert (reply.text, reply.finish) == ("", "length")


async def test_an_unreachable_port_says_what_to_check(monkeypatch):
    monkeypatch.setenv("TEACHER_API_KEY", KEY)
    url = f"http://127.0.0.1:{unused_port()}/v1"
    model = EndpointChat(teacher(base_url=url), section="teacher")
    expected = f"teacher at {url} cannot be reached: check teacher.base_url and that the server runs"
    with pytest.raises(ProviderError) as caught:
        await model.probe(MESSAGES)
    assert str(caught.value) == expected
    with pytest.raises(ProviderError) as caught:
        await ask(model)
    assert str(caught.value) == expected


async def test_a_request_carries_the_sampling_and_the_key(serve, monkeypatch):
    received = []

    async def answer(request: Request) -> Response:
        received.append((request.headers["authorization"], await request.json()))
        return completion()

    monkeypatch.setenv("TEACHER_API_KEY", KEY)
    model = EndpointChat(teacher(base_url=serve(app_answering(answer)), model="m"))
    reply = await ask(model, Sampling(temperature=0.7, top_p=0.9, max_tokens=48, seed=3))
    assert reply == Reply("add(2, 3)", "stop", Usage(7, 5))
    sent = {"messages": MESSAGES, "model": "m", "temperature": 0.7, "top_p": 0.9, "max_tokens": 48, "seed": 3}
    assert received == [(f"Bearer {KEY}", sent)]


async def test_a_reply_that_was_cut_at_max_tokens_has_finish_length():
    async def answer(_: Request) -> Response:
        return completion("I shall now add", finish="length")

    assert (await ask(EndpointChat(teacher(), app_answering(answer)))).finish == "length"


@pytest.mark.parametrize(
    ("details", "cached"), [(None, 0), ({}, 0), ({"cached_tokens": None}, 0), ({"cached_tokens": 4}, 4)]
)
async def test_cached_tokens_are_counted_if_the_server_reports_them(details, cached):
    async def answer(_: Request) -> Response:
        return completion(details=details)

    assert (await ask(EndpointChat(teacher(), app_answering(answer)))).usage == Usage(7, 5, cached)


def tool_completion(*functions: dict, content: str | None = None) -> JSONResponse:
    calls = [{"id": f"c{number}", "type": "function", "function": call} for number, call in enumerate(functions)]
    message = {"role": "assistant", "content": content, "tool_calls": calls}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return JSONResponse({"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]})


async def test_tools_are_sent_and_calls_are_returned_as_the_server_wrote_them():
    received = []

    async def answer(request: Request) -> Response:
        received.append(await request.json())
        return tool_completion({"name": "add", "arguments": '{"a": 2'}, {"name": "sum", "arguments": "{}"})

    model = EndpointChat(teacher(), app_answering(answer))
    tools = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}]
    reply = await model.reply(MESSAGES, tools, Sampling())
    await model.close()
    assert reply == Reply("", "stop", Usage(), (ToolCall("add", '{"a": 2'), ToolCall("sum", "{}")))
    assert received[0]["tools"] == tools
    assert not {"tool_choice", "parallel_tool_calls"} & set(received[0])  # some servers refuse them


async def test_a_reply_may_have_text_and_tool_calls_and_arguments_may_be_an_object():
    async def answer(_: Request) -> Response:
        return tool_completion({"name": "add", "arguments": {"a": 2}}, content="So.")

    reply = await ask(EndpointChat(teacher(), app_answering(answer)))
    assert (reply.text, reply.tool_calls) == ("So.", (ToolCall("add", '{"a": 2}'),))


async def test_the_error_of_a_server_that_refuses_tools_has_a_hint():
    async def answer(_: Request) -> Response:
        return JSONResponse({"error": {"message": "no"}}, 400)

    model = EndpointChat(teacher(), app_answering(answer))
    line = r"answered 400: does this server take tools\? rollout.protocol: text needs none \(the server says: no\)$"
    with pytest.raises(ProviderError, match=line):
        await model.reply(MESSAGES, [{"type": "function", "function": {"name": "add"}}], Sampling())
    await model.close()


@pytest.mark.parametrize("body", [{"choices": []}, {}])
async def test_a_completion_without_a_message_is_a_provider_error(body):
    async def answer(_: Request) -> Response:
        return JSONResponse(body)

    with pytest.raises(ProviderError, match="sent something that is not a chat completion"):
        await ask(EndpointChat(teacher(), app_answering(answer)))


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "answered 401: check the key in TEACHER_API_KEY"),
        (402, "answered 402: the account has no credit left"),
        (403, "answered 403: check the key in TEACHER_API_KEY and its permissions"),
        (404, r"has no model oracle \(404\): check teacher.model and teacher.base_url"),
        (400, "answered 400"),
        (413, "answered 413: the conversation is longer than the model's context: lower rollout.max_steps"),
        (422, "answered 422"),
        (429, "answered 429"),
        (500, "answered 500"),
    ],
)
async def test_every_refusal_is_one_line_without_the_key_even_if_the_server_repeats_it(
    status, advice, serve, monkeypatch
):
    async def answer(request: Request) -> Response:
        text = f"rejected {request.headers['authorization']}"
        return JSONResponse({"error": {"message": text, "type": text, "code": text}}, status)

    monkeypatch.setenv("TEACHER_API_KEY", KEY)
    url = serve(app_answering(answer))
    with pytest.raises(ProviderError, match=advice) as caught:
        await ask(EndpointChat(teacher(base_url=url), section="teacher"))
    assert "\n" not in str(caught.value)
    assert url in str(caught.value)
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "response",
    [
        HTMLResponse("<html>hello</html>"),
        JSONResponse([]),
        JSONResponse({"choices": [{"message": None}]}),
        JSONResponse({"choices": [{"message": {"tool_calls": [{"type": "function", "function": None}]}}]}),
        JSONResponse({"choices": [{"message": {"content": {"text": "add(2, 3)"}}}]}),
        Response("{", media_type="application/json"),
    ],
    ids=["page", "list", "null message", "null call", "no text", "torn"],
)
async def test_a_response_that_is_not_a_completion_is_a_provider_error(response):
    async def answer(_: Request) -> Response:
        return response

    with pytest.raises(ProviderError, match="sent something that is not a chat completion"):
        await ask(EndpointChat(teacher(), app_answering(answer)))


@pytest.mark.parametrize("key", ["schlüssel", f"{KEY}\n", f"{KEY}\t", f"{KEY} "])
def test_a_key_that_a_header_cannot_contain_is_one_line_that_names_the_variable(key, monkeypatch):
    monkeypatch.setenv("TEACHER_API_KEY", key)
    with pytest.raises(ProviderError, match=r"^TEACHER_API_KEY cannot be a key") as caught:
        EndpointChat(teacher(base_url="http://127.0.0.1:8000/v1"))
    assert key.strip() not in "".join(traceback.format_exception(caught.value))
