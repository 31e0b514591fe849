"""Lessons as tokens: what the model reads and writes, how much each written token counts, and where names are read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from callwright.chat.model import Message
from callwright.records import Step
from callwright.standins.embedded.lessons import conversation
from callwright.standins.embedded.network import Group
from callwright.standins.embedded.recipe import BuildRecipe
from callwright.standins.embedded.tokenizer import END_TOKEN
from callwright.tasks.task import Task
from callwright.tasks.view import PLAIN, View

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_FIRST_TOKEN_FACTOR = 3.0  # the first token of a name decides which function is called
_REPEATED_WEIGHT = 2.0  # loss weight of a token of a list that the model repeats
PADDING_MULTIPLE = 16  # rows are padded to multiples of it, because each new shape of a matrix product costs set-up


@dataclass(frozen=True, slots=True)
class Row:
    """A lesson after its prompt.

    Attributes:
        ids: token ids.
        weights: loss weight of each token, 0 for what the model does not write; as long as `ids`.
        names: for each token of a called function's name its index in `ids`, the function's true name, and the token's
            index in the name.
        copies: for each token that is repeated its index in `ids`, and the index of the token that it repeats.
    """

    ids: tuple[int, ...]
    weights: tuple[float, ...]
    names: tuple[tuple[int, str, int], ...] = ()
    copies: tuple[tuple[int, int], ...] = ()


class LessonEncoder:
    """Encodes lessons, in a view, as the tokenizer's chat template does."""

    def __init__(self, tokenizer: "PreTrainedTokenizerFast", recipe: BuildRecipe) -> None:
        self._tokenizer = tokenizer
        self._recipe = recipe
        self._end = tokenizer.convert_tokens_to_ids(END_TOKEN)
        self._bracket = tokenizer.convert_tokens_to_ids("(")
        self._example = self._encode(" Example:")

    @cached_property
    def short_names(self) -> Sequence[str]:
        """Words that are one token each, in alphabetical order."""
        return sorted(
            word for word in self._tokenizer.get_vocab() if len(word) > 1 and word.isalpha() and word.islower()
        )

    @cached_property
    def _alphanumeric(self) -> frozenset[int]:
        tokens = range(len(self._tokenizer))
        return frozenset(token for token in tokens if any(map(str.isalnum, self._tokenizer.decode([token]))))

    @cached_property
    def _signature_ends(self) -> frozenset[int]:
        return self._tokens_with("):")

    @cached_property
    def _newlines(self) -> frozenset[int]:
        return self._tokens_with("\u010a")  # as byte-level tokenizers write it

    def _tokens_with(self, text: str) -> frozenset[int]:
        return frozenset(id_ for token, id_ in self._tokenizer.get_vocab().items() if text in token)

    def group(self, task: Task, view: View, lessons: Sequence[tuple[str, Sequence[Step]]]) -> Group:
        """Lessons of a task (question and steps) after one prompt, which shows the view."""
        conversations = [conversation(task, question, steps, view) for question, steps in lessons]
        prompt = self._message(conversations[0][0])
        rows = [
            self._row(messages[1:], [step.call.name if step.call else "" for step in steps], self._recipe.name_weight)
            for messages, (_, steps) in zip(conversations, lessons, strict=True)
        ]
        starts = self._example_names(prompt)
        functions = view.functions or tuple(task.toolbox.functions)
        return self._tensors(prompt, rows, dict(zip(functions, starts, strict=True)))

    def bare_group(
        self, lessons: Sequence[tuple[Task, str, Sequence[Step]]], copied_names: Sequence[Sequence[str]]
    ) -> Group:
        """Lessons of several tasks after an empty prompt, under the true names, and lists of names to repeat."""
        rows = [
            self._row(conversation(task, question, steps, PLAIN)[1:], [""] * len(steps), 1.0)
            for task, question, steps in lessons
        ]
        rows += [self._copy_row("( ".join((*names, ""))) for names in copied_names]
        return self._tensors(self._message({"role": "system", "content": ""}), rows, {})

    def _copy_row(self, text: str) -> Row:
        """A text that the model repeats. All its tokens are targets: copying any token is learned.

        A token that is never a target loses its identity, because the softmax pushes all such tokens the same way
        (docs/decisions/0027).
        """
        question, reply = (self._message({"role": role, "content": text}) for role in ("user", "assistant"))
        weights = [0.0] * (len(question) + 1) + [_REPEATED_WEIGHT] * (len(reply) - 1)
        copies = [(len(question) + index, index) for index in range(1, len(reply) - 1)]
        return Row((*question, *reply), tuple(weights), copies=tuple(copies))

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _message(self, message: Message) -> list[int]:
        role: int = self._tokenizer.convert_tokens_to_ids(f"<|{message['role']}|>")
        return [role, *self._encode(message["content"]), self._end]

    def _row(self, messages: Sequence[Message], functions: Sequence[str], name_weight: float) -> Row:
        """A lesson: numbers and names that the model copies weigh more than the rest of what it writes.

        Copied tokens are few and are learned last: with equal weights, copying was learned after 400 steps with one
        seed and after 1,900 with another (docs/decisions/0003).
        """
        ids: list[int] = []
        weights: list[float] = []
        names: list[tuple[int, str, int]] = []
        copyable: set[int] = set()
        calls = iter(functions)
        for message in messages:
            tokens = self._message(message)
            if message["role"] == "assistant":
                function = next(calls)
                length = tokens.index(self._bracket) - 1 if self._bracket in tokens else 0
                names += [(len(ids) + 1 + index, function, index) for index in range(length)]
                copied = [self._recipe.copy_weight if token in copyable else 1.0 for token in tokens[1 + length :]]
                first = [_FIRST_TOKEN_FACTOR * name_weight] * min(length, 1)
                weights += [0.0, *first, *[name_weight] * (length - len(first)), *copied]
            else:
                copyable.update(self._alphanumeric.intersection(tokens))
                weights += [0.0] * len(tokens)
            ids += tokens
        return Row(tuple(ids), tuple(weights), tuple(names))

    def _example_names(self, prompt: Sequence[int]) -> list[int]:
        """Position of each function's name after `Example: `, in the order of the functions."""
        width = len(self._example)
        return [
            start + width + 1  # 1: the space, which is a token before a called name
            for start in range(len(prompt) - width)
            if prompt[start : start + width] == self._example
        ]

    def _repeated_name(self, prompt: Sequence[int], name: range) -> list[tuple[int, int, int]]:
        """For each token of a name after `Example: `: the position before it, and where the line begins with it."""
        start = next(at for at in range(name.start, -1, -1) if prompt[at] in self._newlines)
        return [
            (position - 1, start + 1 + index, 0)
            for index, position in enumerate(name)
            if prompt[start + 1 + index] == prompt[position]
        ]

    def _descriptions(self, prompt: Sequence[int], starts: Iterable[int]) -> list[tuple[int, int, int]]:
        """For each token of a name after `Example: `: its position, and start and end of its function's description."""
        spans = []
        for start in starts:
            end = start - 1 - len(self._example)
            first = next(position for position in range(end, -1, -1) if prompt[position] in self._signature_ends) + 1
            spans += [(position, first, end) for position in range(start, prompt.index(self._bracket, start))]
        return spans

    def _tensors(self, prompt: list[int], rows: Sequence[Row], starts: Mapping[str, int]) -> Group:
        width = -(-(max(len(row.ids) for row in rows) - 1) // PADDING_MULTIPLE) * PADDING_MULTIPLE
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        losses: list[tuple[int, int, float]] = []  # position, target, weight
        reads: list[tuple[int, int, int]] = []
        if self._recipe.prompt_name_weight:
            for start in starts.values():
                name = range(start, prompt.index(self._bracket, start))
                reads += self._repeated_name(prompt, name)
                losses += [(position - 1, prompt[position], self._recipe.prompt_name_weight) for position in name]
        for index, row in enumerate(rows):
            first = len(prompt) + index * width
            ids[index, : len(row.ids) - 1] = torch.tensor(row.ids[:-1])
            losses += [
                (first + position - 1, row.ids[position], weight)
                for position, weight in enumerate(row.weights)
                if weight
            ]
            reads += [(first + position - 1, first + repeated, 0) for position, repeated in row.copies]
            for position, function, offset in row.names:
                if function in starts and prompt[starts[function] + offset] == row.ids[position]:
                    reads.append((first + position - 1, starts[function] + offset, int(offset == 0)))
        positions, targets, weights = zip(*losses, strict=True)
        return Group(
            torch.tensor(prompt),
            ids,
            torch.tensor(positions),
            torch.tensor(targets),
            torch.tensor(weights),
            torch.tensor(reads, dtype=torch.long).reshape(-1, 3).t(),
            torch.tensor(self._descriptions(prompt, starts.values()), dtype=torch.long).reshape(-1, 3).t(),
        )
