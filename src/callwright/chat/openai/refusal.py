"""Read the body of an error response, and classify it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from callwright.redaction import redacted_line

_MAX_REASON_CHARACTERS = 300  # of the server's own text, in an error line
_TOO_LONG_CODES = ("context_length_exceeded", "exceed_context_size_error", "tokens_limit_reached")
_TOO_LONG_PHRASES = (
    "maximum context length",  # OpenAI, vLLM, SGLang, Mistral, DeepSeek
    "maximum model length",  # vLLM
    "longer than the model's context length",  # SGLang
    "exceeds the available context size",  # llama.cpp
    "exceed context window of",  # llama-cpp-python
    "prompt is too long",  # Anthropic, Fireworks
    "exceed context limit",  # Anthropic
    "exceeds the context window",  # OpenAI
    "exceeds the maximum number of tokens allowed",  # Gemini
    "maximum prompt length",  # xAI
    "`inputs` tokens + `max_new_tokens` must be",  # TGI
    "greater than the context length",  # LM Studio
    "input is too long for requested model",  # Bedrock
)
_FILTER_CODES = ("content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation")
_NO_CREDIT_CODE = "insufficient_quota"  # OpenAI's; it comes with status 429, but waiting does not help
_FIELD = re.compile(r"\b(?:max_tokens|max_completion_tokens|temperature|top_p|seed)\b")


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What the body of an error response says.

    Attributes:
        reason: the server's reason as one printable line; empty if it gives none.
        codes: its `code` and `type`.
        field: the request field that the reason names; None if it names none.
    """

    reason: str
    codes: tuple[str, ...]
    field: str | None

    def is_too_long(self) -> bool:
        """Whether the conversation is longer than the model's context. Most servers say so only in the reason."""
        reason = self.reason.lower()
        return any(code in _TOO_LONG_CODES for code in self.codes) or any(
            phrase in reason for phrase in _TOO_LONG_PHRASES
        )

    def is_filtered(self) -> bool:
        """Whether a content filter rejected the prompt."""
        return any(code in _FILTER_CODES for code in self.codes)

    def is_out_of_credit(self) -> bool:
        """Whether the account has no credit left."""
        return _NO_CREDIT_CODE in self.codes


def read_error_body(body: bytes, secrets: Iterable[str]) -> ErrorBody:
    """Read the body of an error response. Text that is not JSON is the reason itself; an HTML page gives no reason.

    Args:
        secrets: values to redact, which a server may repeat.
    """
    try:
        content: object = json.loads(body)
    except (ValueError, RecursionError):
        content = body.decode("utf-8", "replace")
    reason, error = server_reason(content, secrets), _error_object(content)
    codes = tuple(error[name] for name in ("code", "type") if isinstance(error.get(name), str))
    field = _FIELD.search(str(error["param"]) if isinstance(error.get("param"), str) else reason)
    return ErrorBody(reason, codes, field.group() if field else None)


def server_reason(content: object, secrets: Iterable[str] = ()) -> str:
    """A server's reason as one printable line; empty if it gives none."""
    text = content if isinstance(content, str) else _message(_error_object(content))
    return "" if text.lstrip().startswith("<") else redacted_line(text, _MAX_REASON_CHARACTERS, secrets)


def _error_object(content: object) -> Mapping[str, Any]:
    """The object with message, code and type. OpenAI nests it in `error`; other servers do not."""
    if not isinstance(content, Mapping):
        return {}
    error = content.get("error", content)
    return error if isinstance(error, Mapping) else {"message": error}


def _message(error: Mapping[str, Any]) -> str:
    for name in ("message", "detail", "error_message", "msg"):
        value = error.get(name)
        if isinstance(value, Mapping):  # Mistral nests FastAPI's error object
            value = value.get("detail", value.get("message"))
        if isinstance(value, str):
            return value
        if isinstance(value, list):  # FastAPI: one object for each field
            messages = [
                entry["msg"] for entry in value if isinstance(entry, Mapping) and isinstance(entry.get("msg"), str)
            ]
            if messages:
                return "; ".join(messages[:3])
    return ""
