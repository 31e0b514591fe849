"""Pairs and demonstrations as the rows TRL trains on, and the checks that a row survives tokenisation."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from callwright.chat.template import TRL_OPTIONS, template_messages
from callwright.errors import DataError
from callwright.preferences.turns import PromptTokens
from callwright.records import Demonstration, Pair


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


def rows_of(examples: Iterable[Pair | Demonstration]) -> list[dict[str, Any]]:
    """Conversational rows: prompt, and chosen and rejected or completion (lists of messages), for a tokenizer prepared
    by `only_special_tokens_control`.

    `tools`, where an example has any, are JSON text, which TRL decodes. Messages with tool calls are mappings of unlike
    shape: a table of them must be built with `Dataset.from_list(rows, on_mixed_types="use_json")`, or Arrow fills every
    mapping up with the keys of all others, and templates render those.
    """
    return [_row(example) for example in examples]


def _row(example: Pair | Demonstration) -> dict[str, Any]:
    named = {"prompt": example.prompt, **_completions(example)}
    row: dict[str, Any] = {name: template_messages(messages) for name, messages in named.items()}
    row["chat_template_kwargs"] = TRL_OPTIONS
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
