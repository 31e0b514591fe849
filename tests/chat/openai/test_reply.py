"""The forms in which servers send replies, and how they are read: real client, real HTTP messages."""

import json

import pytest
from starlette.responses import JSONResponse, Response

from callwright.chat.model import Reply, Sampling, ToolCall
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import EndpointUnusableError, ProviderError
from callwright.records import Usage
from tests.chat.openai.test_endpoint import MESSAGES, app_answering, ask
from tests.fakes import teacher

CALL = {"id": "c", "type": "function", "function": {"name": "add", "arguments": '{"a": 2, "b": 3}'}}


def chat(
    message: object, finish: object = "stop", retries: int = 3, **fields: object
) -> tuple[EndpointChat, list[int]]:
    """A model whose server always sends this message, and a list that grows with every request."""
    requests: list[int] = []

    async def answer(_) -> Response:
        requests.append(1)
        body = {"object": "chat.completion", "choices": [{"message": message, "finish_reason": finish}], **fields}
        return Response(json.dumps(body))  # JSONResponse cannot write NaN or half of a surrogate pair

    return EndpointChat(teacher(max_retries=retries), app_answering(answer)), requests


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "add(a=2, b=3)"}], "add(a=2, b=3)"),
        ([{"type": "text", "text": "So "}, {"type": "text", "text": "add(2, 3)"}], "So add(2, 3)"),
        ([{"type": "output_text", "text": "add(2, 3)"}], "add(2, 3)"),
        (["add(2, ", "3)"], "add(2, 3)"),
        (
            [{"type": "thinking", "thinking": [{"text": "add(9, 9)?"}]}, {"type": "text", "text": "add(2, 3)"}],
            "add(2, 3)",
        ),
        ([{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "add(2, 3)"}], "add(2, 3)"),
        ([{"type": "refusal", "refusal": "I cannot help."}], "I cannot help."),
        ([{"type": "text", "text": None}, 7, None, {"type": "text", "text": "add(2, 3)"}], "add(2, 3)"),
        ("", ""),
        ("Done \ud83d.\nanswer(6)", "Done \ud83d.\nanswer(6)"),
    ],
)
async def test_content_is_text_or_a_list_of_parts_whose_text_is_joined(content, text):
    model, requests = chat({"role": "assistant", "content": content})
    assert (await ask(model)).text == text
    assert len(requests) == 1


async def test_a_refusal_of_the_model_is_its_reply():
    model, requests = chat({"content": None, "refusal": "I'm sorry, I can't assist with that."})
    assert (await ask(model)).text == "I'm sorry, I can't assist with that."
    assert len(requests) == 1


async def test_a_null_refusal_beside_content_is_ignored():
    model, _ = chat({"content": "add(2, 3)", "refusal": None, "reasoning_content": "Two and three."})
    assert (await ask(model)).text == "add(2, 3)"


@pytest.mark.parametrize("content", [None, "add(2,"])
async def test_a_reply_that_the_provider_filtered_is_a_failure_and_is_not_retried(content):
    model, requests = chat({"content": content}, "content_filter")
    with pytest.raises(ProviderError, match=r"withheld the reply \(content_filter\)$") as caught:
        await ask(model)
    assert caught.value.reason == "content filter"
    assert not isinstance(caught.value, EndpointUnusableError)
    assert len(requests) == 1


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("content", [None, "", []])
async def test_reasoning_without_a_reply_is_a_failure_that_says_what_to_do_and_is_not_retried(field, content):
    model, requests = chat({"content": content, field: "Two and three make five. add(2, 3)"})
    with pytest.raises(
        ProviderError, match=r"answered with reasoning and no reply: raise rollout.max_tokens"
    ) as caught:
        await ask(model)
    assert caught.value.reason == "reasoning only"
    assert len(requests) == 1


async def test_reasoning_that_used_up_all_tokens_is_an_empty_reply_that_was_cut():
    model, _ = chat({"content": None, "reasoning_content": "Two and"}, "length")
    reply = await ask(model)
    assert (reply.text, reply.finish) == ("", "length")


@pytest.mark.parametrize("finish", ["stop", "tool_calls", "function_call_filter: MALFORMED_FUNCTION_CALL"])
@pytest.mark.parametrize("message", [{"content": None}, {}, {"content": None, "tool_calls": []}, {"content": []}])
async def test_a_message_without_content_is_an_empty_reply_and_is_not_retried(message, finish):
    """vLLM and Gemini's endpoint write an empty reply like this."""
    model, requests = chat({"role": "assistant", **message}, finish)
    reply = await ask(model)
    assert (reply.text, reply.tool_calls) == ("", ())
    assert len(requests) == 1


async def test_a_message_without_content_that_never_finished_is_not_a_completion():
    model, _ = chat({"role": "assistant", "content": None}, finish=None, retries=0)
    with pytest.raises(ProviderError, match="something that is not a chat completion"):
        await ask(model)


@pytest.mark.parametrize(
    "message",
    [
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "add(2, 3)"}]}]},
        {"content": None, "reasoning_details": [{"type": "reasoning.text", "text": "add(2, 3)"}]},
    ],
)
async def test_reasoning_in_parts_without_a_reply_is_a_failure(message):
    model, requests = chat(message)
    with pytest.raises(ProviderError, match="answered with reasoning and no reply"):
        await ask(model)
    assert len(requests) == 1


@pytest.mark.parametrize(
    ("error", "reason"), [({"error": {"code": 502, "message": "It went away"}}, ": It went away"), ({}, "")]
)
async def test_a_reply_that_the_provider_broke_off_is_an_error_with_the_providers_reason(error, reason):
    choice = {"message": {"content": "add(2,"}, "finish_reason": "error", **error}

    async def answer(_) -> Response:
        return JSONResponse({"choices": [choice]})

    with pytest.raises(ProviderError, match=f"broke off its reply with an error{reason}$") as caught:
        await ask(EndpointChat(teacher(max_retries=0), app_answering(answer)))
    assert caught.value.reason == "no completion"


async def test_a_token_count_too_long_for_python_does_not_discard_the_reply():
    async def answer(_) -> Response:
        count = "9" * 5_000
        return Response(
            f'{{"choices": [{{"message": {{"content": "add(2, 3)"}}, "finish_reason": "stop"}}], '
            f'"created": {count}, "usage": {{"prompt_tokens": {count}, "completion_tokens": -{count}}}}}'
        )

    reply = await ask(EndpointChat(teacher(max_retries=0), app_answering(answer)))
    assert reply.text == "add(2, 3)"
    assert 0 < reply.usage.prompt_tokens < 10_000


async def test_reasoning_beside_a_tool_call_is_dropped():
    model, _ = chat({"content": None, "reasoning_content": "Add.", "tool_calls": [CALL]}, "tool_calls")
    reply = await ask(model)
    assert (reply.text, reply.tool_calls) == ("", (ToolCall("add", '{"a": 2, "b": 3}'),))


async def test_an_error_in_place_of_a_completion_shows_the_servers_reason():
    async def answer(_) -> Response:
        return JSONResponse({"error": {"message": "Upstream provider\n is overloaded", "code": 502}})

    with pytest.raises(
        ProviderError, match=r"sent an error in place of a completion: Upstream provider is overloaded$"
    ):
        await ask(EndpointChat(teacher(), app_answering(answer)))


HUGE = 10**400
TEXT = "add(2, 3)"  # 9 characters: at 4 a token, 3 tokens


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, Usage()),
        ({}, Usage()),
        ({"prompt_tokens": 70, "completion_tokens": 5}, Usage(70, 5)),
        ({"prompt_tokens": 70.0, "completion_tokens": 5.9}, Usage(70, 5)),
        ({"prompt_tokens": 70, "completion_tokens": -1_000_000}, Usage(70, 3)),
        ({"prompt_tokens": 70, "completion_tokens": True}, Usage(70, 3)),
        ({"prompt_tokens": 70, "completion_tokens": "5"}, Usage(70, 3)),
        ({"prompt_tokens": 70, "completion_tokens": None}, Usage(70, 3)),
        ({"prompt_tokens": 70, "completion_tokens": [5]}, Usage(70, 3)),
        ({"prompt_tokens": 70, "completion_tokens": float("nan")}, Usage(70, 3)),
        ({"prompt_tokens": 70, "completion_tokens": float("-inf")}, Usage(70, 3)),
        ({"prompt_tokens": HUGE, "completion_tokens": 5}, Usage(10_000_000, 5)),
        ({"prompt_tokens": -HUGE, "completion_tokens": 5}, None),  # the prompt's size is estimated
        ({"prompt_tokens": 0, "completion_tokens": 5}, None),
        ("much", None),
        ([], None),
        (
            {"prompt_tokens": 70, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 60}},
            Usage(70, 5, 60),
        ),
        (
            {"prompt_tokens": 70, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 71}},
            Usage(70, 5, 70),
        ),
        ({"prompt_tokens": 70, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": -1}}, Usage(70, 5)),
        (
            {"prompt_tokens": 70, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": HUGE}},
            Usage(70, 5, 70),
        ),
        ({"prompt_tokens": 70, "completion_tokens": 5, "prompt_tokens_details": [1]}, Usage(70, 5)),
        ({"prompt_tokens": 70, "completion_tokens": 5, "prompt_tokens_details": "all"}, Usage(70, 5)),
    ],
)
async def test_a_good_reply_with_any_usage_is_kept_and_its_tokens_are_counted(usage, expected):
    body = {"choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}], "usage": usage}

    async def answer(_) -> Response:
        return Response(json.dumps(body))

    model = EndpointChat(teacher(), app_answering(answer))
    reply = await ask(model)
    assert reply.text == TEXT
    if expected is None:
        assert 20 < reply.usage.prompt_tokens < 100  # a request of about 140 characters
    else:
        assert reply == Reply(TEXT, "stop", expected)


async def test_at_least_one_token_is_counted_for_32_characters():
    model, _ = chat({"content": "x" * 4_000}, usage={"prompt_tokens": 70, "completion_tokens": 1})
    assert (await model.reply(MESSAGES, [], Sampling())).usage == Usage(70, 1_000)
    await model.close()
