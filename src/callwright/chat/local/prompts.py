"""Token ids of the prompts of a model in this process."""

import asyncio
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from jinja2 import TemplateError

from callwright.chat.model import Message, Tool
from callwright.chat.prefix_tokens import TokenizedPrefix, render_chat, text_ids, tokenize_prefix
from callwright.chat.template import chat_ids, control_tokens
from callwright.errors import ProviderError

MAX_INLINE_CHARACTERS = 20_000  # of messages; longer conversations are tokenized in a thread, off the event loop


class PromptTokenizer:
    """Tokenizes conversations. The common prefix of a system message and tools is tokenized once.

    Args:
        name: the model's name, for error lines.
        tokenizer: prepared by `guard_special_tokens_only`.
        max_positions: maximum number of tokens of prompt and reply together; None if the model does not say.
    """

    def __init__(self, name: str, tokenizer: Any, max_positions: int | None) -> None:
        self._name = name
        self._tokenizer = tokenizer
        self._max_positions = max_positions
        self._control_tokens = control_tokens(tokenizer)
        self.tokenized_prefixes: dict[str, TokenizedPrefix | None] = {}

    async def ids(
        self, messages: Sequence[Message], tools: Sequence[Tool], prefix_key: str, max_reply_tokens: int
    ) -> list[int]:
        """Token ids of a conversation, including the generation prompt.

        Args:
            prefix_key: the same for all conversations with this system message and these tools.
            max_reply_tokens: tokens that the reply may have.

        Raises:
            ProviderError: the conversation is too long, or the chat template cannot show it.
        """
        characters = sum(len(message["content"] or "") for message in messages)
        if (
            self._max_positions
            and characters > MAX_INLINE_CHARACTERS
            and characters > self._max_positions * self._longest_token
        ):
            raise self._too_long_error(f"{characters:,} characters")
        if characters > MAX_INLINE_CHARACTERS:
            ids = await asyncio.to_thread(self.tokenize, messages, tools, prefix_key)
        else:
            ids = self.tokenize(messages, tools, prefix_key)
        if self._max_positions and len(ids) + max_reply_tokens > self._max_positions:
            raise self._too_long_error(f"{len(ids):,} tokens")
        return ids

    def _too_long_error(self, size: str) -> ProviderError:
        return ProviderError(
            f"{self._name}: the prompt of {size} does not fit {self._max_positions:,} positions", "too long"
        )

    @cached_property
    def _longest_token(self) -> int:
        """Number of characters of the longest token."""
        return max(map(len, self._tokenizer.get_vocab()))

    def tokenize(self, messages: Sequence[Message], tools: Sequence[Tool], prefix_key: str) -> list[int]:
        """The same as `ids`, without the length check.

        Raises:
            ProviderError: the chat template cannot show the conversation.
        """
        try:
            text = render_chat(self._tokenizer, messages, tools, add_generation_prompt=True)
        except (TemplateError, TypeError) as error:
            hint = "; rollout.protocol: text needs no tools" if tools else ""
            raise ProviderError(
                f"{self._name}: its chat template cannot show this conversation: {error}{hint}"
            ) from None
        if tools and not self._shows_tools:
            raise ProviderError(
                f"{self._name}: its chat template does not show tools, calls and results; use rollout.protocol: text"
            )
        if self._contain_control_tokens(messages):
            return self._guarded_ids(messages, tools)
        if messages[0]["role"] != "system":
            return text_ids(self._tokenizer, text)
        if prefix_key not in self.tokenized_prefixes:
            self.tokenized_prefixes[prefix_key] = tokenize_prefix(self._tokenizer, messages[:1], tools, text)
        prefix = self.tokenized_prefixes[prefix_key]
        if prefix is None or not text.startswith(prefix.text):
            return text_ids(self._tokenizer, text)
        return [*prefix.ids, *text_ids(self._tokenizer, text[len(prefix.text) :])]

    def _contain_control_tokens(self, messages: Sequence[Message]) -> bool:
        """Whether messages or calls contain a special token. Tool definitions are not checked: they are trusted."""
        search = self._control_tokens.search
        return any(
            search(message["content"] or "") or search(json.dumps(message.get("tool_calls", ()), ensure_ascii=False))
            for message in messages
        )

    def _guarded_ids(self, messages: Sequence[Message], tools: Sequence[Tool]) -> list[int]:
        try:
            return chat_ids(self._tokenizer, messages, tools, add_generation_prompt=True)
        except ValueError as error:
            raise ProviderError(f"{self._name}: its tokenizer cannot read this conversation as text: {error}") from None

    @cached_property
    def _shows_tools(self) -> bool:
        """Whether the template shows a function, its call and its result. Some templates silently omit one of them."""
        schema = {"name": "fetchwood", "description": "", "parameters": {"type": "object", "properties": {}}}
        call = {"name": "callwood", "arguments": {"argwood": "valuewood"}}
        conversation = [
            {"role": "user", "content": ""},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "call00000", "type": "function", "function": call}],
            },
            {"role": "tool", "tool_call_id": "call00000", "content": "resultwood"},
        ]
        try:
            rendered = self._tokenizer.apply_chat_template(
                conversation, tools=[{"type": "function", "function": schema}], tokenize=False
            )
        except (TemplateError, TypeError):
            return False
        return all(word in rendered for word in ("fetchwood", "callwood", "argwood", "valuewood", "resultwood"))
