"""Token ids of conversations, of which those with the same system message and tools share a prefix."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from callwright.chat.template import chat_ids, control_tokens, template_messages

_LIBRARY_MARKS = re.compile("[\U000f0000-\U0010ffff]")  # `chat_ids` removes some characters of this private range


@dataclass(frozen=True, slots=True)
class TokenizedPrefix:
    """The common prefix of all conversations with one system message and the same tools."""

    text: str
    ids: tuple[int, ...]


def render_chat(
    tokenizer: Any,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]],
    *,
    add_generation_prompt: bool,
) -> str:
    """A conversation as text, in the tokenizer's chat template.

    Raises:
        jinja2.TemplateError, TypeError: the template cannot show this conversation.
    """
    text: str = tokenizer.apply_chat_template(
        template_messages(messages),
        tools=list(tools) or None,
        add_generation_prompt=add_generation_prompt,
        tokenize=False,
    )
    return text


def text_ids(tokenizer: Any, text: str) -> list[int]:
    """Token ids of a rendered text."""
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def tokenize_prefix(
    tokenizer: Any, system: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], conversation: str
) -> TokenizedPrefix | None:
    """The tokens of the system message up to its last special token, where tokenizers split a text.

    Args:
        system: the system message alone.
        conversation: a rendered conversation that begins with it.

    Returns:
        None if the tokenizer does not split there. To find out, the conversation is tokenized both whole and split.
    """
    try:
        text = render_chat(tokenizer, system, tools, add_generation_prompt=False)
    except (TemplateError, TypeError):  # the template demands a user message
        return None
    special = [token for token in tokenizer.all_special_tokens if token in text]
    text = text[: max((text.rfind(token) + len(token) for token in special), default=0)]
    if not text or not conversation.startswith(text):
        return None
    ids = text_ids(tokenizer, text)
    if ids + text_ids(tokenizer, conversation[len(text) :]) != text_ids(tokenizer, conversation):
        return None
    return TokenizedPrefix(text, tuple(ids))


class ChatTokenizer:
    """`chat_ids`, faster: successive conversations with the same system message and tools tokenize them once.

    Args:
        tokenizer: prepared by `guard_special_tokens_only`.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._control_tokens = control_tokens(tokenizer)
        # Of the last conversation: its system message and tools, whether they need the guard, and their tokens
        self._beginning: tuple[Any, ...] = ()
        self._is_guarded = False
        self._prefix: TokenizedPrefix | None = None
        self._is_prefix_known = False

    def ids(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] = (),
        *,
        add_generation_prompt: bool = False,
    ) -> list[int]:
        """Token ids of a conversation; for arguments and errors see `chat_ids`."""
        beginning = (messages[0], tools)
        if beginning != self._beginning:
            self._beginning, self._prefix = beginning, None
            self._is_guarded = self._needs_guard(beginning)
            self._is_prefix_known = messages[0]["role"] != "system"  # without a system message there is none
        if self._is_guarded or self._needs_guard(messages[1:]):
            return chat_ids(self.tokenizer, messages, tools, add_generation_prompt=add_generation_prompt)
        text = render_chat(self.tokenizer, messages, tools, add_generation_prompt=add_generation_prompt)
        if not self._is_prefix_known:
            self._prefix = tokenize_prefix(self.tokenizer, messages[:1], tools, text)
            self._is_prefix_known = True
        if self._prefix is None or not text.startswith(self._prefix.text):
            return text_ids(self.tokenizer, text)
        return [*self._prefix.ids, *text_ids(self.tokenizer, text[len(self._prefix.text) :])]

    def _needs_guard(self, value: Any) -> bool:
        """Whether a text in messages or tools contains a control token, or a mark of the library's guard."""
        match value:
            case str():
                return bool(self._control_tokens.search(value) or _LIBRARY_MARKS.search(value))
            case dict():
                return any(self._needs_guard(part) for item in value.items() for part in item)
            case list() | tuple():
                return any(map(self._needs_guard, value))
            case _:
                return False
