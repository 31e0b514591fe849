"""Conversations as token ids: what chat templates want otherwise than the chat-completions API, and what they let in.

Decoding and training read a conversation here alone, so both see the same ids. Whatever stands in a message is text:
`<|im_end|>` in a question, a result or a reply ends nobody's turn (docs/decisions/0014).
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

TRL_TEMPLATE_KWARGS = {"sanitize_control_tokens": True}
"""For rows that TRL tokenizes itself (`chat_template_kwargs`), so that it does as `chat_ids` does."""

_TOKEN_START = re.compile(r"[<\[](?=\S)")  # how the special tokens of all known families begin


def chat_ids(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = (), *, ask: bool = False
) -> list[int]:
    """Token ids of a conversation in a tokenizer's chat template.

    Args:
        tokenizer: prepared by `guard_special_tokens_only`.
        ask: whether to end where the model is asked for its reply.

    Raises:
        jinja2.TemplateError, TypeError: the template cannot show this conversation.
        ValueError: the tokenizer makes a special token of its text, however it is cut.
    """
    ids: list[int] = tokenizer.apply_chat_template(
        template_messages(messages),
        tools=list(tools) or None,
        tokenize=True,
        return_dict=False,
        add_generation_prompt=ask,
        **TRL_TEMPLATE_KWARGS,
    )
    return ids


def guard_special_tokens_only(tokenizer: Any) -> Any:
    """Have the library guard special tokens alone, unless the tokenizer itself names more; returns the tokenizer.

    By default it also takes `<tool_call>` and `<think>` for text where these are tokens of their own but not special:
    models write them, so the student has to be taught them as the tokens they are.
    """
    if tokenizer.chat_control_tokens is None:
        tokenizer.chat_control_tokens = ()
    return tokenizer


def control_tokens(tokenizer: Any) -> re.Pattern[str]:
    """What `chat_ids` guards: a conversation without any of these has the ids of its rendered text."""
    names = set(tokenizer.chat_control_tokens or ())
    added = tokenizer.added_tokens_decoder.values()
    tokens = sorted(
        (token.content for token in added if token.special or token.content in names), key=len, reverse=True
    )
    return re.compile("|".join(map(re.escape, tokens)) or "(?!)")


def template_messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages with the arguments of tool calls as a mapping, where the API has JSON text.

    Most templates write arguments with `tojson`, which would encode a text once more, or go through their items. A key
    that begins like a special token, which only a hostile or confused reply has, gets a space there: the library guards
    values alone.
    """
    return [
        {**message, "tool_calls": [_with_parsed_arguments(call) for call in message["tool_calls"]]}
        if "tool_calls" in message
        else dict(message)
        for message in messages
    ]


def _with_parsed_arguments(call: Mapping[str, Any]) -> dict[str, Any]:
    arguments = _escape_keys(json.loads(call["function"]["arguments"]))
    return {**call, "function": {**call["function"], "arguments": arguments}}


def _escape_keys(value: Any) -> Any:
    match value:
        case dict():
            return {_TOKEN_START.sub(r"\g<0> ", key): _escape_keys(item) for key, item in value.items()}
        case list():
            return [_escape_keys(item) for item in value]
        case _:
            return value
