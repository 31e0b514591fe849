"""Pairs and demonstrations as the rows TRL trains on, and the checks that a row survives tokenisation."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from callwright.chat.template import TRL_TEMPLATE_KWARGS, chat_ids, template_messages
from callwright.errors import DataError
from callwright.records import Demonstration, Pair


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

    def _ids(self, completion: Sequence[dict[str, Any]], *, ask: bool = False) -> list[int]:
        return chat_ids(self.tokenizer, [*self.messages, *completion], self.tools, add_generation_prompt=ask)

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
            after = whole if place == len(completion) - 1 else self._ids_up_to(completion[: place + 1], whole)
            if place == 0 and whole[: len(before)] != before:
                raise ValueError("its prompt is not a prefix of prompt + completion in this chat template")
            if whole[: len(before)] != before or whole[: len(after)] != after:
                raise ValueError(
                    "this chat template shows earlier replies otherwise than they were written; set pairs.mode to step"
                )
            end = _end_of_turn(whole, len(before), len(after), self.tokenizer.eos_token_id)
            mask[len(before) : end] = [1] * (end - len(before))
        return mask[len(self.ids) :]

    def _ids_up_to(self, completion: Sequence[dict[str, Any]], whole: Sequence[int]) -> list[int]:
        """Ids of a conversation that goes on, without the mark that some templates put at the end of everything."""
        ids = self._ids(completion)
        if ids[-1] in self.tokenizer.all_special_ids and whole[: len(ids)] != ids:
            return ids[:-1]
        return ids


def _end_of_turn(ids: Sequence[int], start: int, end: int, eos: int | None) -> int:
    """Behind the first end-of-turn token of start:end, where the model stops; `end` in templates with another mark."""
    return next((place + 1 for place in range(start, end) if ids[place] == eos), end)


@dataclass(frozen=True, slots=True)
class RowReport:
    """What the rows look like to the trainer: counts, and tokens of the longest one.

    `trained_tokens` are those of the completions that the model writes.
    """

    rows: int
    longest: int
    prompt_tokens: int
    completion_tokens: int
    trained_tokens: int


def conversation_rows(examples: Iterable[Pair | Demonstration]) -> list[dict[str, Any]]:
    """Conversational rows: prompt, and chosen and rejected or completion (lists of messages), for a tokenizer prepared
    by `guard_special_tokens_only`.

    `tools`, where an example has any, are JSON text, which TRL decodes. Messages with tool calls are mappings of unlike
    shape: a table of them must be built with `Dataset.from_list(rows, on_mixed_types="use_json")`, or Arrow fills every
    mapping up with the keys of all others, and templates render those.
    """
    return [_row(example) for example in examples]


def _row(example: Pair | Demonstration) -> dict[str, Any]:
    named = {"prompt": example.prompt, **_completions(example)}
    row: dict[str, Any] = {name: template_messages(messages) for name, messages in named.items()}
    row["chat_template_kwargs"] = TRL_TEMPLATE_KWARGS
    return {**row, "tools": json.dumps(example.tools, ensure_ascii=False)} if example.tools else row


def _completions(example: Pair | Demonstration) -> dict[str, tuple[dict[str, Any], ...]]:
    if isinstance(example, Demonstration):
        return {"completion": example.completion}
    return {"chosen": example.chosen, "rejected": example.rejected}


def check_rows(
    examples: Sequence[Pair | Demonstration], tokenizer: Any, max_length: int
) -> tuple[RowReport, list[dict[str, list[int]]]]:
    """Refuse rows that the trainer would silently spoil, and say of the others which tokens the model writes.

    The prompt's ids must be a prefix of prompt + completion, and so must every later turn of a whole chain; nothing may
    be longer than `max_length` tokens, and every completion must have a token to train on.

    Returns:
        The report, and for each example the masks of its completions ("chosen_mask", ...): one number a token, 1 where
        the model writes it, 0 for results, the user's words and the template's own marks.

    Raises:
        DataError: names the first such example and the count.
    """
    bad: list[tuple[str, str]] = []
    masks: list[dict[str, list[int]]] = []
    prompts = completions = trained = longest = 0
    for example in examples:
        prompt = PromptTokens(tokenizer, example.prompt, example.tools)
        masks.append({})
        try:
            prompts += len(prompt.ids)
        except ValueError as error:
            bad.append((example.id, str(error)))
            continue
        for name, completion in _completions(example).items():
            try:
                mask = masks[-1][f"{name}_mask"] = prompt.loss_mask(completion)
            except ValueError as error:
                bad.append((example.id, str(error)))
                continue
            length = len(prompt.ids) + len(mask)
            longest, completions, trained = max(longest, length), completions + len(mask), trained + sum(mask)
            if not any(mask):
                bad.append((example.id, "a completion has no token"))
            elif length > max_length:
                bad.append((example.id, f"it has {length} tokens, train.max_length is {max_length}"))
    if bad:
        name, reason = bad[0]
        kind = "pair" if isinstance(examples[0], Pair) else "demonstration"
        count = f"{len({one for one, _ in bad}):,} of {len(examples):,} {kind}s"
        raise DataError(f"{kind} {name} cannot be trained on: {reason} ({count})")
    return RowReport(len(examples), longest, prompts, completions, trained), masks
