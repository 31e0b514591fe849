"""Pairs and demonstrations as the rows of tokens that TRL trains on, each checked before training."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from callwright.chat.prefix_tokens import ChatTokenizer
from callwright.errors import DataError
from callwright.records import Demonstration, Pair
from callwright.reports.train import RowCounts

IGNORED_LABEL = -100  # of the trainers
CompletionTokens: TypeAlias = tuple[list[int], list[int]]  # token ids, and their loss mask
TokenRow: TypeAlias = dict[str, "array[int]"]


@dataclass(frozen=True)
class PromptTokens:
    """The messages and tools of a prompt as tokens, for any chat template (see `chat_ids`)."""

    chat: ChatTokenizer
    messages: Sequence[dict[str, Any]]
    tools: Sequence[dict[str, Any]]

    @cached_property
    def ids(self) -> list[int]:
        """Token ids of the prompt, up to and including the marks after which the model writes its reply."""
        return self._ids((), ask=True)

    def _ids(self, completion: Sequence[dict[str, Any]], *, ask: bool = False) -> list[int]:
        return self.chat.ids([*self.messages, *completion], self.tools, add_generation_prompt=ask)

    def completion_tokens(self, completion: Sequence[dict[str, Any]]) -> CompletionTokens:
        """The token ids of a completion and its loss mask: for each token 1 if the model writes it, else 0.

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
            end = _end_of_turn(all_ids, len(ids_before), len(ids_after), self.chat.tokenizer.eos_token_id)
            mask[len(ids_before) : end] = [1] * (end - len(ids_before))
        return all_ids[len(self.ids) :], mask[len(self.ids) :]

    def _ids_up_to(self, completion: Sequence[dict[str, Any]], all_ids: Sequence[int]) -> list[int]:
        """Ids up to a reply that is not the last one, without a mark that some templates add at the very end."""
        ids = self._ids(completion)
        if ids[-1] in self.chat.tokenizer.all_special_ids and all_ids[: len(ids)] != ids:
            return ids[:-1]
        return ids


def _end_of_turn(ids: Sequence[int], start: int, end: int, eos: int | None) -> int:
    """The index after the first EOS token in ids[start:end], where the model stops; `end` if there is none."""
    return next((index + 1 for index in range(start, end) if ids[index] == eos), end)


def _completions(example: Pair | Demonstration) -> dict[str, tuple[dict[str, Any], ...]]:
    if isinstance(example, Demonstration):
        return {"completion": example.completion}
    return {"chosen": example.chosen, "rejected": example.rejected}


def check_rows(
    examples: Iterable[Pair | Demonstration], tokenizer: Any, max_length: int
) -> tuple[RowCounts, list[TokenRow]]:
    """Turn examples into rows of tokens, as the trainers take them, and check each.

    The ids of the prompt must be a prefix of those of prompt + completion, and so must the ids up to each later turn of
    a whole chain. Each completion must have a token to train on. The trainer checks none of this: it would cut long
    rows, and train on the wrong tokens.

    Args:
        examples: fastest if those with the same system message and tools follow each other.
        tokenizer: prepared by `guard_special_tokens_only`.
        max_length: the most tokens that a prompt with a completion may have.

    Returns:
        Counts of rows and tokens, and each example's row. A pair's has `prompt_ids`, and for each side `chosen_ids`
        and `chosen_mask` (see `PromptTokens.completion_tokens`). A demonstration's has `input_ids` and `labels`, which
        are -100 in the prompt.

    Raises:
        DataError: a row fails a check; the message has the first such row, the reason, and the number of such rows.
    """
    failures: list[tuple[str, str, str]] = []  # kind of example, id, reason
    rows: list[TokenRow] = []
    prompts = completions = trained = longest = count = 0
    chat = ChatTokenizer(tokenizer)
    for example in examples:
        kind = "pair" if isinstance(example, Pair) else "demonstration"
        prompt = PromptTokens(chat, example.prompt, example.tools)
        tokens: dict[str, CompletionTokens] = {}
        count += 1
        try:
            for name, completion in _completions(example).items():
                tokens[name] = prompt.completion_tokens(completion)
            prompts += len(prompt.ids)
        except ValueError as error:
            failures.append((kind, example.id, str(error)))
            continue
        lengths = [len(prompt.ids) + len(ids) for ids, _ in tokens.values()]
        longest, completions = max(longest, *lengths), completions + sum(len(ids) for ids, _ in tokens.values())
        trained += sum(sum(mask) for _, mask in tokens.values())
        if not all(any(mask) for _, mask in tokens.values()):
            failures.append((kind, example.id, "a completion has no token to train on"))
        elif max(lengths) > max_length:
            failures.append((kind, example.id, f"it has {max(lengths)} tokens, train.max_length is {max_length}"))
        else:
            rows.append(_token_row(prompt.ids, tokens))
    if failures:
        kind, example_id, reason = failures[0]
        if "train.max_length" in reason:  # in another view, the same example may be longer
            reason += f"; the longest row has {longest}: raise train.max_length"
        raise DataError(f"{kind} {example_id} cannot be trained on: {reason} ({len(failures):,} of {count:,} {kind}s)")
    counts = RowCounts(
        rows=count,
        longest=longest,
        prompt_tokens=prompts,
        completion_tokens=completions,
        trained_tokens=trained,
    )
    return counts, rows


def _token_row(prompt_ids: list[int], tokens: Mapping[str, CompletionTokens]) -> TokenRow:
    if "completion" in tokens:  # the loss of the warm-up includes the tokens that a template adds after a turn
        ids, _ = tokens["completion"]
        row = {"input_ids": prompt_ids + ids, "labels": [IGNORED_LABEL] * len(prompt_ids) + ids}
    else:
        row = {"prompt_ids": prompt_ids}
        for name, (ids, mask) in tokens.items():
            row |= {f"{name}_ids": ids, f"{name}_mask": mask}
    return {name: array("i", values) for name, values in row.items()}  # 4 bytes a token, where a list needs 36
