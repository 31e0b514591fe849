"""Conversations as token ids: how chat templates differ from the API, and how text cannot become control tokens.

Both decoding and training tokenize conversations here, so they see the same ids. The content of a message is always
text: `<|im_end|>` in a question, a result or a reply does not end a turn (docs/decisions/0014).
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_TOKEN_START = re.compile(r"[<\[](?=\S)")  # how the special tokens of all known model series begin


def chat_ids(
    tokenizer: Any,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] = (),
    *,
    add_generation_prompt: bool = False,
) -> list[int]:
    """Token ids of a conversation in a tokenizer's chat template.

    Args:
        tokenizer: prepared by `guard_special_tokens_only`.
        add_generation_prompt: whether to add the tokens after which the model writes its reply.

    Raises:
        jinja2.TemplateError, TypeError: the template cannot show this conversation.
        ValueError: the tokenizer makes a special token of the text, however the text is split.
    """
    ids: list[int] = tokenizer.apply_chat_template(
        template_messages(messages),
        tools=list(tools) or None,
        tokenize=True,
        return_dict=False,
        add_generation_prompt=add_generation_prompt,
        sanitize_control_tokens=True,
    )
    return ids


def guard_special_tokens_only(tokenizer: Any) -> Any:
    """Make the library guard only special tokens, unless the tokenizer itself names more; returns the tokenizer.

    By default the library also splits `<tool_call>` and `<think>` if they are tokens but not special. Models write
    these tokens, so the student must be trained on them as single tokens.
    """
    if tokenizer.chat_control_tokens is None:
        tokenizer.chat_control_tokens = ()
    return tokenizer


def control_tokens(tokenizer: Any) -> re.Pattern[str]:
    """A pattern of the tokens that `chat_ids` guards. Without them, a conversation has the ids of its rendered text."""
    names = set(tokenizer.chat_control_tokens or ())
    added = tokenizer.added_tokens_decoder.values()
    tokens = sorted(
        (token.content for token in added if token.special or token.content in names), key=len, reverse=True
    )
    return re.compile("|".join(map(re.escape, tokens)) or "(?!)")


def template_messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages whose tool calls have their arguments as a mapping instead of JSON text.

    Most templates write arguments with `tojson`, which would encode a text twice, or iterate over their items. In a key
    that begins like a special token, which only a hostile or confused reply has, a space is inserted after its first
    bracket, because the library guards only values.
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
