"""Pairs and demonstrations as the rows that TRL trains on, and checks of their tokens before training."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from callwright.chat.template import TRL_TEMPLATE_KWARGS, chat_ids, template_messages
from callwright.errors import DataError
from callwright.records import Demonstration, Pair
from callwright.reports.train import RowCounts


@dataclass(frozen=True)
class PromptTokens:
    """The messages and tools of a prompt as tokens, for any chat template (see `chat_ids`)."""

    tokenizer: Any
    messages: Sequence[dict[str, Any]]
    tools: Sequence[dict[str, Any]]

    @cached_property
    def ids(self) -> list[int]:
        """Token ids of the prompt, up to and including the marks after which the model writes its reply."""
        return self._ids((), ask=True)

    def _ids(self, completion: Sequence[dict[str, Any]], *, ask: bool = False) -> list[int]:
        return chat_ids(self.tokenizer, [*self.messages, *completion], self.tools, add_generation_prompt=ask)

    def loss_mask(self, completion: Sequence[dict[str, Any]]) -> list[int]:
        """The loss mask of a completion: for each of its tokens 1 if the model writes it, else 0.

        A turn of the model begins after the marks that ask for its reply and ends with its end-of-turn token. Tokens
        that a template adds after that one are 0, and so are results, the user's messages and role marks.

        Raises:
            ValueError: the template renders the prompt or an earlier turn differently if other messages follow.
        """
        all_ids = self._ids(completion)
        mask = [0] * len(all_ids)
        for index, message in enumerate(completion):
            if message["role"] != "assistant":
                continue
            ids_before = self._ids(completion[:index], ask=True) if index else self.ids
            is_last = index == len(completion) - 1
            ids_after = all_ids if is_last else self._ids_up_to(completion[: index + 1], all_ids)
            if index == 0 and all_ids[: len(ids_before)] != ids_before:
                raise ValueError("its prompt is not a prefix of prompt + completion in this chat template")
            if all_ids[: len(ids_before)] != ids_before or all_ids[: len(ids_after)] != ids_after:
                raise ValueError(
                    "this chat template renders earlier replies differently than they were written; "
                    "set pairs.mode to step"
                )
            end = _end_of_turn(all_ids, len(ids_before), len(ids_after), self.tokenizer.eos_token_id)
            mask[len(ids_before) : end] = [1] * (end - len(ids_before))
        return mask[len(self.ids) :]

    def _ids_up_to(self, completion: Sequence[dict[str, Any]], all_ids: Sequence[int]) -> list[int]:
        """Ids up to a reply that is not the last one, without a mark that some templates add at the very end."""
        ids = self._ids(completion)
        if ids[-1] in self.tokenizer.all_special_ids and all_ids[: len(ids)] != ids:
            return ids[:-1]
        return ids


def _end_of_turn(ids: Sequence[int], start: int, end: int, eos: int | None) -> int:
    """The index after the first EOS token in ids[start:end], where the model stops; `end` if there is none."""
    return next((index + 1 for index in range(start, end) if ids[index] == eos), end)


def conversation_rows(examples: Iterable[Pair | Demonstration]) -> list[dict[str, Any]]:
    """Rows in TRL's conversational format, for a tokenizer prepared by `guard_special_tokens_only`.

    A row has `prompt`, and either `chosen` and `rejected` or `completion`, which are lists of messages. If the example
    has tools, `tools` is JSON text, which TRL decodes. Messages with tool calls have different keys, so a table of them
    must be built with `Dataset.from_list(rows, on_mixed_types="use_json")`; otherwise Arrow adds the keys of all
    messages to each, and templates render them.
    """
    return [_row(example) for example in examples]


def _row(example: Pair | Demonstration) -> dict[str, Any]:
    messages_by_name = {"prompt": example.prompt, **_completions(example)}
    row: dict[str, Any] = {name: template_messages(messages) for name, messages in messages_by_name.items()}
    row["chat_template_kwargs"] = TRL_TEMPLATE_KWARGS
    return {**row, "tools": json.dumps(example.tools, ensure_ascii=False)} if example.tools else row


def _completions(example: Pair | Demonstration) -> dict[str, tuple[dict[str, Any], ...]]:
    if isinstance(example, Demonstration):
        return {"completion": example.completion}
    return {"chosen": example.chosen, "rejected": example.rejected}


def check_rows(
    examples: Sequence[Pair | Demonstration], tokenizer: Any, max_length: int
) -> tuple[RowCounts, list[dict[str, list[int]]]]:
    """Check the rows before training and return their loss masks.

    The ids of the prompt must be a prefix of those of prompt + completion, and so must the ids up to each later turn of
    a whole chain. Each completion must have a token to train on. The trainer checks none of this: it would cut long
    rows, and train on the wrong tokens.

    Args:
        max_length: the most tokens that a prompt with a completion may have.

    Returns:
        Counts of rows and tokens, and for each example the loss masks of its completions by name ("chosen_mask", ...):
        see `PromptTokens.loss_mask`.

    Raises:
        DataError: a row fails a check; the message has the first such row, the reason, and the number of such rows.
    """
    failures: list[tuple[str, str]] = []
    masks: list[dict[str, list[int]]] = []
    prompts = completions = trained = longest = 0
    for example in examples:
        prompt = PromptTokens(tokenizer, example.prompt, example.tools)
        masks.append({})
        try:
            prompts += len(prompt.ids)
        except ValueError as error:
            failures.append((example.id, str(error)))
            continue
        for name, completion in _completions(example).items():
            try:
                mask = masks[-1][f"{name}_mask"] = prompt.loss_mask(completion)
            except ValueError as error:
                failures.append((example.id, str(error)))
                continue
            length = len(prompt.ids) + len(mask)
            longest, completions, trained = max(longest, length), completions + len(mask), trained + sum(mask)
            if not any(mask):
                failures.append((example.id, "a completion has no token to train on"))
            elif length > max_length:
                failures.append((example.id, f"it has {length} tokens, train.max_length is {max_length}"))
    if failures:
        example_id, reason = failures[0]
        kind = "pair" if isinstance(examples[0], Pair) else "demonstration"
        count = f"{len({failed_id for failed_id, _ in failures}):,} of {len(examples):,} {kind}s"
        raise DataError(f"{kind} {example_id} cannot be trained on: {reason} ({count})")
    counts = RowCounts(
        rows=len(examples),
        longest=longest,
        prompt_tokens=prompts,
        completion_tokens=completions,
        trained_tokens=trained,
    )
    return counts, masks
