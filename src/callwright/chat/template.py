"""What chat templates want otherwise than the chat-completions API."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


def template_messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages with the arguments of tool calls as a mapping, where the API has JSON text.

    Most templates write arguments with `tojson`, which would encode a text once more, or go through their items.
    """
    return [
        {**message, "tool_calls": [_with_mapping(call) for call in message["tool_calls"]]}
        if "tool_calls" in message
        else dict(message)
        for message in messages
    ]


def _with_mapping(call: Mapping[str, Any]) -> dict[str, Any]:
    return {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
