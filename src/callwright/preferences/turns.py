"""Which tokens of a conversation the model writes, whatever its chat template makes of the messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from callwright.chat.template import chat_ids


@dataclass(frozen=True)
class PromptTokens:
    """The messages of a prompt, and the tools on offer, in a tokenizer's chat template (see `chat_ids`)."""

    tokenizer: Any
    messages: Sequence[dict[str, Any]]
    tools: Sequence[dict[str, Any]]

    @cached_property
    def ids(self) -> list[int]:
        """Token ids of the prompt, up to where the model is asked for its reply."""
        return self._ids((), ask=True)

    def _ids(self, more: Sequence[dict[str, Any]], *, ask: bool = False) -> list[int]:
        return chat_ids(self.tokenizer, [*self.messages, *more], self.tools, ask=ask)

    def loss_mask(self, completion: Sequence[dict[str, Any]]) -> list[int]:
        """One number a token after the prompt: 1 where the model writes it.

        A turn of the model begins where it is asked for a reply and ends with the token that ends its turn; what a
        template puts after that token is not the model's. Results, users' words and role marks between turns are 0.

        Raises:
            ValueError: the template shows the prompt, or an earlier turn, otherwise once the conversation goes on.
        """
        whole = self._ids(completion)
        mask = [0] * len(whole)
        for place, message in enumerate(completion):
            if message["role"] != "assistant":
                continue
            before = self._ids(completion[:place], ask=True) if place else self.ids
            after = whole if place == len(completion) - 1 else self._up_to(completion[: place + 1], whole)
            if place == 0 and whole[: len(before)] != before:
                raise ValueError("its prompt is not a prefix of prompt + completion in this chat template")
            if whole[: len(before)] != before or whole[: len(after)] != after:
                raise ValueError(
                    "this chat template shows earlier replies otherwise than they were written; set pairs.mode to step"
                )
            end = _end_of_turn(whole, len(before), len(after), self.tokenizer.eos_token_id)
            mask[len(before) : end] = [1] * (end - len(before))
        return mask[len(self.ids) :]

    def _up_to(self, completion: Sequence[dict[str, Any]], whole: Sequence[int]) -> list[int]:
        """Ids of a conversation that goes on, without the mark that some templates put at the end of everything."""
        ids = self._ids(completion)
        if ids[-1] in self.tokenizer.all_special_ids and whole[: len(ids)] != ids:
            return ids[:-1]
        return ids


def _end_of_turn(ids: Sequence[int], start: int, end: int, eos: int | None) -> int:
    """Behind the first end-of-turn token of start:end, where the model stops; `end` in templates with another mark."""
    return next((place + 1 for place in range(start, end) if ids[place] == eos), end)
