"""What servers send as a reply, and what it is taken for: real client, real HTTP messages."""

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
    asked: list[int] = []

    async def answer(_) -> Response:
        asked.append(1)
        body = {"object": "chat.completion", "choices": [{"message": message, "finish_reason": finish}], **fields}
        return Response(json.dumps(body))  # JSONResponse writes neither NaN nor half of a surrogate pair

    return EndpointChat(teacher(max_retries=retries), app_answering(answer)), asked


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
    model, asked = chat({"role": "assistant", "content": content})
    assert (await ask(model)).text == text
    assert len(asked) == 1


async def test_a_refusal_is_the_models_reply_in_its_own_words():
    model, asked = chat({"content": None, "refusal": "I'm sorry, I can't assist with that."})
    assert (await ask(model)).text == "I'm sorry, I can't assist with that."
    assert len(asked) == 1


async def test_a_null_refusal_beside_content_is_nothing():
    model, _ = chat({"content": "add(2, 3)", "refusal": None, "reasoning_content": "Two and three."})
    assert (await ask(model)).text == "add(2, 3)"


@pytest.mark.parametrize("content", [None, "add(2,"])
async def test_a_reply_that_the_provider_filtered_is_a_failure_of_its_own_and_asked_once(content):
    model, asked = chat({"content": content}, "content_filter")
    with pytest.raises(ProviderError, match=r"withheld the reply \(content_filter\)$") as caught:
        await ask(model)
    assert caught.value.reason == "content filter"
    assert not isinstance(caught.value, EndpointUnusableError)
    assert len(asked) == 1


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("content", [None, "", []])
async def test_reasoning_without_a_reply_is_a_failure_that_says_what_to_do_and_asked_once(field, content):
    model, asked = chat({"content": content, field: "Two and three make five. add(2, 3)"})
    with pytest.raises(
        ProviderError, match=r"answered with reasoning and no reply: raise rollout.max_tokens"
    ) as caught:
        await ask(model)
    assert caught.value.reason == "reasoning only"
    assert len(asked) == 1


async def test_reasoning_that_used_up_all_tokens_is_an_empty_reply_that_was_cut():
    model, _ = chat({"content": None, "reasoning_content": "Two and"}, "length")
    reply = await ask(model)
    assert (reply.text, reply.finish) == ("", "length")


@pytest.mark.parametrize("finish", ["stop", "tool_calls", "function_call_filter: MALFORMED_FUNCTION_CALL"])
@pytest.mark.parametrize("message", [{"content": None}, {}, {"content": None, "tool_calls": []}, {"content": []}])
async def test_a_message_without_content_is_an_empty_reply_asked_for_once(message, finish):
    """As vLLM and Gemini's endpoint write that the model said nothing."""
    model, asked = chat({"role": "assistant", **message}, finish)
    reply = await ask(model)
    assert (reply.text, reply.tool_calls) == ("", ())
    assert len(asked) == 1


async def test_a_message_without_content_that_never_finished_is_no_completion():
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
async def test_reasoning_in_parts_without_a_reply_is_a_failure_of_its_own(message):
    model, asked = chat(message)
    with pytest.raises(ProviderError, match="answered with reasoning and no reply"):
        await ask(model)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("error", "words"), [({"error": {"code": 502, "message": "It went away"}}, ": It went away"), ({}, "")]
)
async def test_a_reply_that_the_models_provider_broke_off_is_none_and_shows_its_words(error, words):
    choice = {"message": {"content": "add(2,"}, "finish_reason": "error", **error}

    async def answer(_) -> Response:
        return JSONResponse({"choices": [choice]})

    with pytest.raises(ProviderError, match=f"broke off its reply with an error{words}$") as caught:
        await ask(EndpointChat(teacher(max_retries=0), app_answering(answer)))
    assert caught.value.reason == "no completion"


async def test_a_count_of_tokens_too_long_for_python_never_discards_a_reply():
    async def answer(_) -> Response:
        count = "9" * 5_000
        return Response(
            f'{{"choices": [{{"message": {{"content": "add(2, 3)"}}, "finish_reason": "stop"}}], '
            f'"created": {count}, "usage": {{"prompt_tokens": {count}, "completion_tokens": -{count}}}}}'
        )

    reply = await ask(EndpointChat(teacher(max_retries=0), app_answering(answer)))
    assert reply.text == "add(2, 3)"
    assert 0 < reply.usage.prompt_tokens < 10_000


async def test_reasoning_beside_a_tool_call_is_left_out():
    model, _ = chat({"content": None, "reasoning_content": "Add.", "tool_calls": [CALL]}, "tool_calls")
    reply = await ask(model)
    assert (reply.text, reply.tool_calls) == ("", (ToolCall("add", '{"a": 2, "b": 3}'),))


async def test_an_error_in_place_of_a_completion_shows_the_servers_words():
    async def answer(_) -> Response:
        return JSONResponse({"error": {"message": "Upstream provider\n is overloaded", "code": 502}})

    with pytest.raises(
        ProviderError, match=r"sent an error in place of a completion: Upstream provider is overloaded$"
    ):
        await ask(EndpointChat(teacher(), app_answering(answer)))


HUGE = 10**400
TEXT = "add(2, 3)"  # 9 characters: at 4 a token, 3 tokens


@pytest.mark.parametrize(
    ("usage", "taken"),
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
async def test_a_good_reply_survives_any_usage_and_none_makes_tokens_vanish(usage, taken):
    message = {"choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}], "usage": usage}

    async def answer(_) -> Response:
        return Response(json.dumps(message))

    model = EndpointChat(teacher(), app_answering(answer))
    reply = await ask(model)
    assert reply.text == TEXT
    if taken is None:
        assert 20 < reply.usage.prompt_tokens < 100  # a request of about 140 characters
    else:
        assert reply == Reply(TEXT, "stop", taken)


async def test_a_server_cannot_report_less_than_a_token_for_32_characters():
    model, _ = chat({"content": "x" * 4_000}, usage={"prompt_tokens": 70, "completion_tokens": 1})
    assert (await model.reply(MESSAGES, [], Sampling())).usage == Usage(70, 1_000)
    await model.close()
