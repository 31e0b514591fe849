"""Build the embedded student: a model of Qwen3's architecture with under a million parameters, trained in minutes.

It takes the place of a general small model if none can be downloaded: it knows the call syntax and solves problems of
one call, and is weak at chains of several steps.
"""

import itertools
import random
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from callwright.chat.model import Message
from callwright.standins.embedded.fit import EncodedLesson, Lessons, fit
from callwright.standins.embedded.lessons import draw_lessons
from callwright.standins.embedded.recipe import BuildRecipe
from callwright.standins.embedded.tokenizer import train_tokenizer
from callwright.standins.oracle.confused_names import check_confused_names
from callwright.tasks import Tasks
from callwright.tasks.task_sections import listed_tasks

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

TaskLesson: TypeAlias = tuple[str, list[Message]]  # the task's name, and the conversation

TOKENIZER_LESSONS = 4_000  # lessons from which the tokenizer's merges are learned
# Lessons are short: with the usual 10,000, copying takes several times as many lessons (docs/decisions/0003).
ROPE_THETA = 500.0


def build_embedded_student(folder: Path, recipe: BuildRecipe, tasks: Tasks, seed: int) -> dict[str, Any]:
    """Train tokenizer and model from scratch, and save them as a Hugging Face folder.

    Returns:
        Source, seed, the recipe's fields, the number of parameters, and the loss of the last steps.

    Raises:
        CallwrightError: a training process was killed.
        ParamsError: the recipe lists a task that does not exist, or that has no lessons, or that names a function in
            its part `mistakes` that does not exist.
        DataError: a lesson cannot be made.
    """
    for task, _ in listed_tasks(recipe.tasks, tasks, "recipe.tasks"):
        check_confused_names(task, tasks)
    torch.manual_seed(seed)
    careless_count = min(recipe.demonstrations, recipe.careless_steps * recipe.batch_size)
    careful = _draw_task_lessons(recipe, tasks, recipe.demonstrations, 0.0, seed)
    careless = _draw_task_lessons(recipe, tasks, max(careless_count, 1), recipe.careless_share, seed)
    sample = random.Random(f"tokenizer/{seed}").sample(careful, min(TOKENIZER_LESSONS, len(careful)))
    tokenizer = train_tokenizer([text for _, messages in sample for text in _texts(messages)], recipe.vocabulary)
    model = _new_model(recipe, tokenizer)
    loss = fit(model, _encode_lessons(tokenizer, careful, careless, recipe), recipe, seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return {
        "source": "embedded",
        "seed": seed,
        **recipe.model_dump(),
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "loss": round(loss, 4),
    }


def _draw_task_lessons(
    recipe: BuildRecipe, tasks: Tasks, count: int, careless_share: float, seed: int
) -> list[TaskLesson]:
    """Lessons of all tasks, in the recipe's shares."""
    return [
        (task.name, messages)
        for task, share in listed_tasks(recipe.tasks, tasks, "recipe.tasks")
        for messages in itertools.islice(draw_lessons(task, careless_share, seed), round(share * count))
    ]


def _texts(messages: Sequence[Message]) -> list[str]:
    return [message["content"] for message in messages]


def _new_model(recipe: BuildRecipe, tokenizer: "PreTrainedTokenizerFast") -> "PreTrainedModel":
    from transformers import Qwen3Config, Qwen3ForCausalLM

    model: PreTrainedModel = Qwen3ForCausalLM._from_config(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=recipe.hidden,
            intermediate_size=recipe.hidden * 3,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            num_key_value_heads=recipe.heads,
            head_dim=recipe.hidden // recipe.heads,
            max_position_embeddings=4096,
            rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        ),
        attn_implementation="eager",  # faster than fused attention for short sequences in bfloat16 on a CPU
    )
    return model


def _encode_lessons(
    tokenizer: "PreTrainedTokenizerFast",
    careful: Sequence[TaskLesson],
    careless: Sequence[TaskLesson],
    recipe: BuildRecipe,
) -> Lessons:
    """Tokenize the lessons, and cut off the prompt that all lessons of a task share."""
    encoded = [
        [(task, *encode_conversation(tokenizer, messages)) for task, messages in pool] for pool in (careful, careless)
    ]
    prompt_ids = {}
    for task in {task for task, *_ in encoded[0]}:
        sequences = [ids for pool in encoded for name, ids, _ in pool if name == task]
        # The first and the last sequence in lexicographic order share exactly the prefix that all of them share.
        first, last = min(sequences), max(sequences)
        shared = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
        prompt_ids[task] = tuple(token for token, _ in shared)[:-1]
    alphanumeric_tokens = frozenset(
        token for token in range(len(tokenizer)) if any(map(str.isalnum, tokenizer.decode([token])))
    )

    def cut(task: str, ids: tuple[int, ...], assistant_mask: tuple[bool, ...]) -> EncodedLesson:
        start = len(prompt_ids[task])
        weights = token_weights(ids[start:], assistant_mask[start:], alphanumeric_tokens, recipe)
        return EncodedLesson(task, start, ids[start:], weights)

    return Lessons(prompt_ids, *([cut(*lesson) for lesson in pool] for pool in encoded))


def token_weights(
    ids: Sequence[int], assistant_mask: Sequence[bool], alphanumeric_tokens: Collection[int], recipe: BuildRecipe
) -> tuple[float, ...]:
    """Loss weight of each token: numbers and names that the model copies weigh more, the question weighs less.

    Copied tokens are few and are learned last: with equal weights, copying was learned after 400 steps with one seed
    and after 1,900 with another (docs/decisions/0003).

    Args:
        ids: a lesson's tokens.
        assistant_mask: True for tokens that the assistant writes; as long as `ids`.
        alphanumeric_tokens: tokens with a letter or a digit.

    Returns:
        As many weights as `ids`.
    """
    copyable = {
        token
        for token, by_assistant in zip(ids, assistant_mask, strict=True)
        if not by_assistant and token in alphanumeric_tokens
    }
    return tuple(
        (recipe.copy_weight if token in copyable else 1.0) if by_assistant else recipe.question_weight
        for token, by_assistant in zip(ids, assistant_mask, strict=True)
    )


def encode_conversation(
    tokenizer: "PreTrainedTokenizerFast", messages: Sequence[Message]
) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Token ids of a conversation, and which of them the assistant wrote; both of the same length."""

    encoded = tokenizer.apply_chat_template(
        list(messages), tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    return tuple(encoded["input_ids"]), tuple(bool(mask) for mask in encoded["assistant_masks"])
