"""A pair's messages as a person reads them."""

import json
from collections.abc import Mapping
from typing import Any

from callwright.functions.function import render_call
from callwright.records import Call


def message_text(message: Mapping[str, Any]) -> str:
    """A message as a person reads it: what it says, and its calls in Python syntax."""
    functions = [call["function"] for call in message.get("tool_calls", ())]
    calls = [render_call(Call(one["name"], json.loads(one["arguments"]))) for one in functions]
    return "\n".join(part for part in (message["content"], *calls) if part)
