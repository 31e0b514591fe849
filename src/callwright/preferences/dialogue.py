"""Pairs and demonstrations as the rows TRL trains on, and the checks that a row survives tokenisation."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from callwright.chat.template import template_messages
from callwright.errors import DataError
from callwright.records import Demonstration, Pair


@dataclass(frozen=True, slots=True)
class RowReport:
    """What the rows look like to the trainer: counts, and tokens of the longest one."""

    rows: int
    longest: int
    prompt_tokens: int
    completion_tokens: int


def rows_of(examples: Iterable[Pair | Demonstration]) -> list[dict[str, Any]]:
    """Conversational rows: prompt, and chosen and rejected or completion (lists of messages).

    `tools`, where an example has any, are JSON text, which TRL decodes. Messages with tool calls are mappings of unlike
    shape: a table of them must be built with `Dataset.from_list(rows, on_mixed_types="use_json")`, or Arrow fills every
    mapping up with the keys of all others, and templates render those.
    """
    return [_row(example) for example in examples]


def _row(example: Pair | Demonstration) -> dict[str, Any]:
    named = {"prompt": example.prompt, **_completions(example)}
    row: dict[str, Any] = {name: template_messages(messages) for name, messages in named.items()}
    return {**row, "tools": json.dumps(example.tools, ensure_ascii=False)} if example.tools else row


def _completions(example: Pair | Demonstration) -> dict[str, tuple[dict[str, Any], ...]]:
    if isinstance(example, Demonstration):
        return {"completion": example.completion}
    return {"chosen": example.chosen, "rejected": example.rejected}


def check_rows(examples: Sequence[Pair | Demonstration], tokenizer: Any, max_length: int) -> RowReport:
    """Refuse rows that the trainer would silently spoil.

    The prompt's ids must be a prefix of prompt + completion, nothing may be longer than `max_length` tokens, and every
    completion must have a token to train on.

    Raises:
        DataError: names the first such example and the count.
    """
    bad: list[tuple[str, str]] = []
    prompts = completions = longest = 0
    for example in examples:
        tools = list(example.tools) or None
        prompt = _ids(tokenizer, example.prompt, tools, add_generation_prompt=True)
        for completion in _completions(example).values():
            whole = _ids(tokenizer, [*example.prompt, *completion], tools, add_generation_prompt=False)
            longest = max(longest, len(whole))
            completions += len(whole) - len(prompt)
            if whole[: len(prompt)] != prompt:
                bad.append((example.id, "its prompt is not a prefix of prompt + completion in this chat template"))
            elif len(whole) == len(prompt):
                bad.append((example.id, "a completion has no token"))
            elif len(whole) > max_length:
                bad.append((example.id, f"it has {len(whole)} tokens, train.max_length is {max_length}"))
        prompts += len(prompt)
    if bad:
        name, reason = bad[0]
        kind = "pair" if isinstance(examples[0], Pair) else "demonstration"
        count = f"{len({one for one, _ in bad}):,} of {len(examples):,} {kind}s"
        raise DataError(f"{kind} {name} cannot be trained on: {reason} ({count})")
    return RowReport(len(examples), longest, prompts, completions)


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
