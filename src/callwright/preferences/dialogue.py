"""Pairs as the rows TRL trains on, and the checks that a row survives tokenisation."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from callwright.chat.template import template_messages
from callwright.errors import DataError
from callwright.records import Pair


@dataclass(frozen=True, slots=True)
class RowReport:
    """What the rows look like to the trainer: counts, and tokens of the longest one."""

    rows: int
    longest: int
    prompt_tokens: int
    completion_tokens: int


def rows_of(pairs: Iterable[Pair]) -> list[dict[str, Any]]:
    """Conversational preference rows: prompt, chosen, rejected (lists of messages), and `tools` where a pair has any.

    `tools` are JSON text, which TRL decodes. Messages with tool calls are mappings of unlike shape: a table of them
    must be built with `Dataset.from_list(rows, on_mixed_types="use_json")`, or Arrow fills every mapping up with the
    keys of all others, and templates render those.
    """
    return [_row(pair) for pair in pairs]


def _row(pair: Pair) -> dict[str, Any]:
    sides = {"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected}
    row: dict[str, Any] = {name: template_messages(messages) for name, messages in sides.items()}
    return {**row, "tools": json.dumps(pair.tools, ensure_ascii=False)} if pair.tools else row


def check_rows(pairs: Sequence[Pair], tokenizer: Any, max_length: int) -> RowReport:
    """Refuse rows that the trainer would silently spoil.

    The prompt's ids must be a prefix of prompt + completion, nothing may be longer than `max_length` tokens, and both
    completions must have a token to train on.

    Raises:
        DataError: names the first such pair and the count.
    """
    bad: list[tuple[str, str]] = []
    prompts = completions = longest = 0
    for pair in pairs:
        tools = list(pair.tools) or None
        prompt = _ids(tokenizer, pair.prompt, tools, add_generation_prompt=True)
        for side in (pair.chosen, pair.rejected):
            whole = _ids(tokenizer, [*pair.prompt, *side], tools, add_generation_prompt=False)
            longest = max(longest, len(whole))
            completions += len(whole) - len(prompt)
            if whole[: len(prompt)] != prompt:
                bad.append((pair.id, "its prompt is not a prefix of prompt + completion in this chat template"))
            elif len(whole) == len(prompt):
                bad.append((pair.id, "a completion has no token"))
            elif len(whole) > max_length:
                bad.append((pair.id, f"it has {len(whole)} tokens, train.max_length is {max_length}"))
        prompts += len(prompt)
    if bad:
        names = len({name for name, _ in bad})
        raise DataError(f"pair {bad[0][0]} cannot be trained on: {bad[0][1]} ({names:,} of {len(pairs):,} pairs)")
    return RowReport(len(pairs), longest, prompts, completions)


def _ids(
    tokenizer: Any, messages: Sequence[dict[str, Any]], tools: list[Any] | None, *, add_generation_prompt: bool
) -> list[int]:
    ids: list[int] = tokenizer.apply_chat_template(
        template_messages(messages),
        tools=tools,
        tokenize=True,
        return_dict=False,
        add_generation_prompt=add_generation_prompt,
    )
    return ids
