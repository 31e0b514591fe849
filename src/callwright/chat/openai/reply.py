"""Read the reply in a chat completion, in all the forms that servers send."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from callwright.chat.model import Reply, ToolCall
from callwright.chat.openai.refusal import server_reason
from callwright.records import Usage

MAX_REQUEST_TOKENS = 10_000_000  # a request counts for no more
_CHARACTERS_PER_TOKEN = 4  # for estimates
_MAX_CHARACTERS_PER_TOKEN = 32  # on average; a count that implies more is replaced by an estimate
_FIELDS = ("prompt_tokens", "completion_tokens")


def read_usage(usage: object, request_bytes: int, reply_characters: int) -> Usage:
    """The tokens of one request and its reply.

    A count that is missing, invalid or impossibly small is estimated from the size.

    Args:
        usage: as the server sent it.

    Returns:
        All zero if the server reports no usage.
    """
    if usage is None:
        return Usage()
    reported: Mapping[object, object] = usage if isinstance(usage, Mapping) else {}
    if reported == usage and not any(name in reported for name in _FIELDS):
        return Usage()
    prompt, completion = (
        _count_or_estimate(_count(reported.get(name)), size)
        for name, size in zip(_FIELDS, (request_bytes, reply_characters), strict=True)
    )
    details = reported.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    return Usage(prompt, completion, min(cached or 0, prompt))


def _count(value: object) -> int | None:
    """A number of tokens; None if the value is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return int(min(value, MAX_REQUEST_TOKENS)) if value >= 0 else None


def _count_or_estimate(count: int | None, size: int) -> int:
    if count is None or count < size // _MAX_CHARACTERS_PER_TOKEN:
        return min(-(-size // _CHARACTERS_PER_TOKEN), MAX_REQUEST_TOKENS)
    return count


MAX_CONTAINERS = 100_000  # objects and lists in one body; each takes a hundred times the memory of its two bytes
NO_COMPLETION = "no completion"  # the reason under which such responses are counted
_REASONING = ("reasoning_content", "reasoning", "reasoning_details")
_MAX_INT_DIGITS = 4_000  # Python reads no more than 4,300


class NoReplyError(Exception):
    """A response that contains no reply of the model. Its text says what the server did, and what to do about it.

    Args:
        reason: the reason under which it is counted.
        retryable: whether the same request may be answered later.
    """

    def __init__(self, reason: str, line: str, retryable: bool) -> None:
        super().__init__(line)
        self.reason = reason
        self.retryable = retryable


class NotACompletionError(NoReplyError):
    """The body is not a chat completion."""

    def __init__(self) -> None:
        super().__init__(NO_COMPLETION, "sent something that is not a chat completion", retryable=True)


def parse_body(body: bytes) -> object:
    """The JSON value in a body. If a key occurs twice, the last value counts.

    Raises:
        NotACompletionError: it is not JSON, is nested too deeply, or has too many objects and lists.
    """
    if body.count(b"{") + body.count(b"[") > MAX_CONTAINERS:
        raise NotACompletionError
    try:
        return json.loads(body, parse_int=_read_int)
    except (ValueError, RecursionError):
        raise NotACompletionError from None


def _read_int(digits: str) -> int | float:
    """An integer. If it has more digits than Python reads, infinity, so that the reply beside it is not lost."""
    return int(digits) if len(digits) <= _MAX_INT_DIGITS else math.inf


def read_reply(completion: object, request_bytes: int, secrets: Iterable[str] = ()) -> Reply:
    """The first choice of a completion.

    The model's refusal is a reply, and a message without content is an empty reply. A reply that the provider's filter
    withheld or cut is not one. Reasoning alone is not one either, because the model has not said what to do.

    Args:
        secrets: values to redact, which a server may repeat.

    Raises:
        NoReplyError: the completion contains no reply.
    """
    choice, message = _first_choice(completion, secrets)
    finish = choice.get("finish_reason")
    if finish == "content_filter":
        raise NoReplyError("content filter", "withheld the reply (content_filter)", retryable=False)
    tool_calls = tuple(_tool_call(call) for call in _tool_calls(message))
    text = _text(message.get("content"))
    if not text and not tool_calls:
        text = _text_without_content(text, message, finish)
    reply_characters = len(text or "") + sum(len(call.name) + len(call.arguments) for call in tool_calls)
    reported = completion.get("usage") if isinstance(completion, Mapping) else None
    usage = read_usage(reported, request_bytes, reply_characters)
    return Reply(text or "", "length" if finish == "length" else "stop", usage, tool_calls)


def _first_choice(completion: object, secrets: Iterable[str]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    if not isinstance(completion, Mapping):
        raise NotACompletionError
    choices = completion.get("choices")
    if not isinstance(choices, list) or not choices:
        reason = server_reason(completion, secrets) if completion.get("error") else ""
        if reason:  # routers report failures of the model behind them like this
            raise NoReplyError(NO_COMPLETION, f"sent an error in place of a completion: {reason}", retryable=True)
        raise NotACompletionError
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if isinstance(choice, Mapping) and choice.get("finish_reason") == "error":  # the model failed half-way
        reason = server_reason(choice, secrets)
        cause = f": {reason}" if reason else ""
        raise NoReplyError(NO_COMPLETION, f"broke off its reply with an error{cause}", retryable=True)
    if not isinstance(message, Mapping):
        raise NotACompletionError
    return choice, message


def _text(content: object) -> str | None:
    """The text, or the text parts of a list joined; None if there is no content."""
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise NotACompletionError
    parts = [part for part in map(_text_of_part, content) if part is not None]
    return "".join(parts) if parts else None


def _text_of_part(part: object) -> str | None:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping) or part.get("type") not in ("text", "output_text", "refusal"):
        return None  # reasoning, an image
    text = part.get("refusal" if part["type"] == "refusal" else "text")
    return text if isinstance(text, str) else None


def _text_without_content(text: str | None, message: Mapping[str, Any], finish: object) -> str:
    """The text of a message that has neither content nor calls: the refusal, or nothing.

    Args:
        finish: why the reply ended. If it was cut at max_tokens, the reasoning may have used all tokens.

    Raises:
        NoReplyError: the message contains only reasoning, or never finished.
    """
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        return refusal
    if finish == "length":
        return ""
    if _has_reasoning(message):
        line = (
            "answered with reasoning and no reply: raise rollout.max_tokens, or serve the model without a parser "
            "for its reasoning"
        )
        raise NoReplyError("reasoning only", line, retryable=False)
    if text is None and not isinstance(finish, str):
        raise NotACompletionError
    return text or ""  # some servers write an empty reply as null


def _has_reasoning(message: Mapping[str, Any]) -> bool:
    """Whether a message contains reasoning, in a separate field or as parts of its content (Mistral)."""
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
        raise NotACompletionError
    return calls


def _tool_call(call: object) -> ToolCall:
    """A call as it was sent. Some servers send the arguments as an object instead of JSON text."""
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise NotACompletionError
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        return ToolCall(function["name"], arguments)
    try:
        return ToolCall(function["name"], json.dumps({} if arguments is None else arguments))
    except RecursionError:
        raise NotACompletionError from None
