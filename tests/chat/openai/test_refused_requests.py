"""Statuses that refuse a request: the error line, and whether the request is retried."""

import json

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from callwright.chat.model import Sampling
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import EndpointUnusableError, ProviderError
from tests.chat.openai.test_endpoint import KEY, MESSAGES, app_answering, ask, completion
from tests.fakes import teacher

TOO_LONG = r"the conversation is longer than the model's context: lower rollout.max_steps"


async def error_line(body: object, status: int = 400, tools: bool = False) -> str:
    """The error line for a response with this body. Checks that the request was sent only once."""
    response = body if isinstance(body, Response) else JSONResponse(body, status)
    requests: list[int] = []

    async def answer(_) -> Response:
        requests.append(1)
        return response

    model = EndpointChat(teacher(max_retries=5), app_answering(answer), section="teacher")
    schemas = [{"type": "function", "function": {"name": "add"}}] if tools else []
    with pytest.raises(ProviderError) as caught:
        await model.reply(MESSAGES, schemas, Sampling())
    await model.close()
    assert len(requests) == 1
    return str(caught.value).removeprefix("teacher at http://oracle.invalid/v1 ")


UNSUPPORTED = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
)


@pytest.mark.parametrize("tools", [False, True])
@pytest.mark.parametrize(
    ("error", "field"),
    [
        ({"message": UNSUPPORTED, "param": "max_tokens", "code": "unsupported_parameter"}, "max_tokens"),
        ({"message": UNSUPPORTED, "code": "invalid_request_body"}, "max_tokens"),
        ({"message": "Unsupported value: 'temperature' does not support 0.7", "param": "temperature"}, "temperature"),
        ({"message": "seed: Extra inputs are not permitted"}, "seed"),
    ],
)
async def test_a_field_that_the_server_refuses_is_named_with_its_reason_and_what_to_do(error, field, tools):
    line = await error_line({"error": error}, tools=tools)
    assert line == (
        f"answered 400: teacher.request can change or leave out {field} (the server says: {error['message']})"
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": "just text"}, "just text"),
        ({"object": "error", "message": "flat, as older servers", "code": 400}, "flat, as older servers"),
        ({"detail": "as FastAPI"}, "as FastAPI"),
        ({"detail": [{"loc": ["body"], "msg": "field required"}, {"msg": "and this"}]}, "field required; and this"),
        ({"object": "error", "message": {"detail": [{"msg": "as Mistral"}]}}, "as Mistral"),
        (Response("plain text", 422), "plain text"),
        ({"error": {"message": "\x1b[31mred\nand \u202ereversed"}}, r"\x1b[31mred and \u202ereversed"),
    ],
)
async def test_the_servers_reason_is_shown_in_every_form_that_servers_send(body, reason):
    assert (await error_line(body, 422)).endswith(f"answered 422 (the server says: {reason})")


@pytest.mark.parametrize(
    "body", [HTMLResponse("<html>nginx</html>", 400), {}, [], 7, {"error": None}, {"error": {"message": 3}}]
)
async def test_a_refusal_without_a_reason_shows_none(body):
    assert await error_line(body) == "answered 400"


async def test_the_length_of_a_reason_is_limited():
    line = await error_line({"error": {"message": "no " * 10_000}})
    assert len(line) < 350


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        "Requested token count exceeds the model's maximum context length of 4096 tokens.",
        "the request exceeds the available context size, try increasing it",
        "Requested tokens (5000) exceed context window of 4096",
        "prompt is too long: 213462 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000",
        "Prompt contains 43216 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        "Your input exceeds the context window of this model.",
        "The input token count (5000) exceeds the maximum number of tokens allowed (4096).",
        "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000",
    ],
)
async def test_the_messages_of_servers_about_conversations_that_are_too_long_are_recognized(message):
    assert TOO_LONG in await error_line({"error": {"message": message}}, tools=True)


@pytest.mark.parametrize(
    "message",
    [
        "Tool messages need a preceding assistant message in this context",
        "Unknown field context_id",
        "the context of this request is not allowed",
    ],
)
async def test_the_word_context_alone_does_not_make_a_conversation_too_long(message):
    line = await error_line({"error": {"message": message}})
    assert line == f"answered 400 (the server says: {message})"


@pytest.mark.parametrize("code", ["content_filter", "content_policy_violation"])
async def test_a_prompt_that_was_filtered_has_its_own_error_line(code):
    line = await error_line({"error": {"message": "The response was filtered", "code": code}})
    assert line == "answered 400: the prompt was filtered (the server says: The response was filtered)"


@pytest.mark.parametrize("status", [400, 403, 409, 422, 429, 500, 503])
async def test_a_key_that_the_server_repeats_in_its_reason_is_hidden(status, serve, monkeypatch):
    async def answer(request: Request) -> Response:
        message = f"no {request.headers['authorization']}, and {KEY} and https://ann:pw1234@h/?key={KEY}"
        return JSONResponse({"error": {"message": message}}, status)

    key = "a-key-of-no-known-form"
    monkeypatch.setenv("SOME_NAME", key)
    with pytest.raises(ProviderError) as caught:
        await ask(EndpointChat(teacher(base_url=serve(app_answering(answer)), api_key_env="SOME_NAME")))
    assert str(caught.value).endswith("(the server says: no Bearer ***, and *** and https://***@h/?key=***)")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_because_it_would_send_key_and_prompt(status, serve, monkeypatch):
    redirected_paths: list[str] = []

    async def other(request: Request) -> Response:
        redirected_paths.append(request.url.path)
        return completion()

    other_url = serve(app_answering(other))

    async def answer(_: Request) -> Response:
        return Response(status_code=status, headers={"location": f"{other_url}?token={KEY}"})

    monkeypatch.setenv("TEACHER_API_KEY", KEY)
    url = serve(app_answering(answer))
    line = f"^teacher at {url} answered {status}, a redirect to {other_url}.token=.*, which is not followed: check"
    with pytest.raises(EndpointUnusableError, match=line) as caught:
        await ask(EndpointChat(teacher(base_url=url, max_retries=3), section="teacher"))
    assert redirected_paths == []
    assert KEY not in str(caught.value)


async def test_fields_of_the_request_come_from_params_and_null_removes_a_field():
    received = []

    async def answer(request: Request) -> Response:
        received.append(json.loads(await request.body()))
        return completion()

    fields = {"max_tokens": None, "max_completion_tokens": 256, "seed": None, "temperature": 1, "top_k": 20}
    await ask(EndpointChat(teacher(model="m", request=fields), app_answering(answer)))
    sent = {
        "model": "m",
        "messages": MESSAGES,
        "top_p": 1.0,
        "max_completion_tokens": 256,
        "temperature": 1,
        "top_k": 20,
    }
    assert received == [sent]
