"""A reply out of a chat completion, as servers really send them."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from callwright.chat.model import Reply, ToolCall
from callwright.chat.refusal import words_of
from callwright.chat.usage import read_usage

MAX_CONTAINERS = 100_000  # objects and lists in one body: each takes a hundred times the memory of its two bytes
NO_COMPLETION = "no completion"  # the reason under which it is counted
_REASONING = ("reasoning_content", "reasoning", "reasoning_details")
_MAX_INT_DIGITS = 4_000  # Python reads no more than 4,300


class NoReplyError(Exception):
    """An answer of a server that holds no reply of the model.

    Args:
        reason: under which it is counted.
        heals: the same request may be answered later.
        line: what the server did, and what to do about it.
    """

    def __init__(self, reason: str, line: str, heals: bool) -> None:
        super().__init__(line)
        self.reason = reason
        self.heals = heals


class NoCompletionError(NoReplyError):
    """The body is no chat completion at all."""

    def __init__(self) -> None:
        super().__init__(NO_COMPLETION, "sent what is no chat completion", heals=True)


def parse_body(body: bytes) -> object:
    """The JSON value in a body. Of a key that stands there twice the last one counts.

    Raises:
        NoCompletionError: it is no JSON, too deep, or has numbers or parts beyond measure.
    """
    if body.count(b"{") + body.count(b"[") > MAX_CONTAINERS:
        raise NoCompletionError
    try:
        return json.loads(body, parse_int=_read_int)
    except (ValueError, RecursionError):
        raise NoCompletionError from None


def _read_int(written: str) -> int | float:
    """A whole number; one with more digits than Python reads costs itself, and not the reply that it stands beside."""
    return int(written) if len(written) <= _MAX_INT_DIGITS else math.inf


def read_reply(completion: object, prompt_size: int, secrets: Iterable[str] = ()) -> Reply:
    """The first choice of a completion.

    A refusal is the model's reply, in its own words, and a message without any content is an empty one. A reply that
    the provider's filter withheld or cut is none, nor is one of reasoning alone: the model has not said what it wants
    to do.

    Args:
        prompt_size: characters of the request.
        secrets: values that a server may repeat and nobody may see.

    Raises:
        NoReplyError: there is no reply in it.
    """
    choice, message = _first_choice(completion, secrets)
    finish = choice.get("finish_reason")
    if finish == "content_filter":
        raise NoReplyError("content filter", "withheld the reply (content_filter)", heals=False)
    tool_calls = tuple(_tool_call(call) for call in _tool_calls(message))
    text = _text(message.get("content"))
    if not text and not tool_calls:
        text = _text_of_no_content(text, message, finish)
    written = len(text or "") + sum(len(call.name) + len(call.arguments) for call in tool_calls)
    usage = read_usage(completion.get("usage") if isinstance(completion, Mapping) else None, prompt_size, written)
    return Reply(text or "", "length" if finish == "length" else "stop", usage, tool_calls)


def _first_choice(completion: object, secrets: Iterable[str]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    if not isinstance(completion, Mapping):
        raise NoCompletionError
    choices = completion.get("choices")
    if not isinstance(choices, list) or not choices:
        words = words_of(completion, secrets) if completion.get("error") else ""
        if words:  # as routers say that the model behind them failed
            raise NoReplyError(NO_COMPLETION, f"sent an error in place of a completion: {words}", heals=True)
        raise NoCompletionError
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if isinstance(choice, Mapping) and choice.get("finish_reason") == "error":  # the model failed half-way
        words = words_of(choice, secrets)
        said = f": {words}" if words else ""
        raise NoReplyError(NO_COMPLETION, f"broke off its reply with an error{said}", heals=True)
    if not isinstance(message, Mapping):
        raise NoCompletionError
    return choice, message


def _text(content: object) -> str | None:
    """Text, or a list of parts with the text parts joined; None where there is no content."""
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise NoCompletionError
    parts = [part for part in map(_part, content) if part is not None]
    return "".join(parts) if parts else None


def _part(part: object) -> str | None:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping) or part.get("type") not in ("text", "output_text", "refusal"):
        return None  # reasoning, an image
    text = part.get("refusal" if part["type"] == "refusal" else "text")
    return text if isinstance(text, str) else None


def _text_of_no_content(text: str | None, message: Mapping[str, Any], finish: object) -> str:
    """What a message without text and calls says.

    Args:
        finish: why it ended; where it was cut at max_tokens, all of them may have gone into reasoning.
    """
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        return refusal
    if finish == "length":
        return ""
    if _reasons(message):
        line = (
            "answered with reasoning and no reply: raise rollout.max_tokens, or serve the model without a parser "
            "for its reasoning"
        )
        raise NoReplyError("reasoning only", line, heals=False)
    if text is None and not isinstance(finish, str):
        raise NoCompletionError
    return text or ""  # servers write an empty reply as null too, once they have looked for calls in it


def _reasons(message: Mapping[str, Any]) -> bool:
    """Whether a message has reasoning in it, in a field of its own or as parts of its content (Mistral)."""
    content = message.get("content")
    parts = content if isinstance(content, list) else ()
    fields = (message.get(name) for name in _REASONING)
    return any(bool(field.strip()) if isinstance(field, str) else bool(field) for field in fields) or any(
        isinstance(part, Mapping) and part.get("type") in ("thinking", "reasoning") for part in parts
    )


def _tool_calls(message: Mapping[str, Any]) -> Sequence[object]:
    calls = message.get("tool_calls")
    if calls is None:
        return ()
    if not isinstance(calls, list):
        raise NoCompletionError
    return calls


def _tool_call(call: object) -> ToolCall:
    """A call as it was sent; some servers send the arguments as an object instead of as JSON text."""
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise NoCompletionError
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        return ToolCall(function["name"], arguments)
    try:
        return ToolCall(function["name"], json.dumps({} if arguments is None else arguments))
    except RecursionError:
        raise NoCompletionError from None
