"""The embedded student: a Llama-style model (Qwen3's) of under a million parameters, built from scratch in minutes.

It plays the part of a general small model where none can be downloaded: it knows the call syntax and one-call
problems, and is weak at chains of several steps.
"""

import itertools
import random
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from callwright.chat.model import Message
from callwright.params import EmbeddedParams
from callwright.standins.embedded.fit import EncodedLesson, Lessons, fit
from callwright.standins.embedded.lessons import demonstrations
from callwright.standins.embedded.tokenizer import train_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

TaskLesson: TypeAlias = tuple[str, list[Message]]  # a conversation and its task

TOKENIZER_LESSONS = 4_000  # demonstrations that the tokenizer's merges are learned from
ROPE_THETA = 500.0  # rows are short; with the usual 10,000, copying takes several times the rows (docs/decisions/0003)


def build_embedded_student(folder: Path, recipe: EmbeddedParams, seed: int) -> dict[str, Any]:
    """Train tokenizer and model from scratch and save them as a Hugging Face folder.

    Returns:
        The recipe as it was carried out: sizes, steps, last loss.
    """
    torch.manual_seed(seed)
    read = min(recipe.demonstrations, recipe.careless_steps * recipe.batch_size)
    careful = _draw_task_lessons(recipe, recipe.demonstrations, 0.0, seed)
    careless = _draw_task_lessons(recipe, max(read, 1), recipe.careless_share, seed)
    shown = random.Random(f"tokenizer/{seed}").sample(careful, min(TOKENIZER_LESSONS, len(careful)))
    tokenizer = train_tokenizer([text for _, row in shown for text in _texts(row)], recipe.vocabulary)
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


def _draw_task_lessons(recipe: EmbeddedParams, count: int, careless_share: float, seed: int) -> list[TaskLesson]:
    """Each task's share of the conversations, with the task's name."""
    return [
        (task, messages)
        for task, share in recipe.tasks.model_dump().items()
        for messages in itertools.islice(demonstrations(task, careless_share, seed), round(share * count))
    ]


def _texts(messages: Sequence[Message]) -> list[str]:
    return [message["content"] for message in messages]


def _new_model(recipe: EmbeddedParams, tokenizer: "PreTrainedTokenizerFast") -> "PreTrainedModel":
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
        attn_implementation="eager",  # for short rows in bfloat16 on a CPU faster than the fused one
    )
    return model


def _encode_lessons(
    tokenizer: "PreTrainedTokenizerFast",
    careful: Sequence[TaskLesson],
    careless: Sequence[TaskLesson],
    recipe: EmbeddedParams,
) -> Lessons:
    """Demonstrations as tokens, with the prompt that those of a task begin with cut off."""
    encoded = [
        [(task, *encode_conversation(tokenizer, messages)) for task, messages in pool] for pool in (careful, careless)
    ]
    prompts = {}
    for task in {task for task, *_ in encoded[0]}:
        ids = [row for pool in encoded for name, row, _ in pool if name == task]
        shared = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(min(ids), max(ids), strict=False))
        prompts[task] = tuple(token for token, _ in shared)[:-1]
    alphanumeric_tokens = frozenset(
        number for number in range(len(tokenizer)) if any(map(str.isalnum, tokenizer.decode([number])))
    )
    pools = [
        [
            EncodedLesson(
                task, start, ids[start:], token_weights(ids[start:], written[start:], alphanumeric_tokens, recipe)
            )
            for task, ids, written in pool
            for start in [len(prompts[task])]
        ]
        for pool in encoded
    ]
    return Lessons(prompts, *pools)


def token_weights(
    ids: Sequence[int], written: Sequence[bool], alphanumeric_tokens: Collection[int], recipe: EmbeddedParams
) -> tuple[float, ...]:
    """What predicting each token counts: more where the model writes a number or name that it was told.

    These are few among all that it writes, and learned last: counted like the others, copying came after 400 steps with
    one seed and after 1,900 with another (docs/decisions/0003).

    Args:
        written: per token, whether the model writes it.
        alphanumeric_tokens: tokens with a letter or a digit.
    """
    told = {token for token, own in zip(ids, written, strict=True) if not own and token in alphanumeric_tokens}
    return tuple(
        (recipe.copy_weight if token in told else 1.0) if own else recipe.question_weight
        for token, own in zip(ids, written, strict=True)
    )


def encode_conversation(
    tokenizer: "PreTrainedTokenizerFast", messages: Sequence[Message]
) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Token ids of a conversation, and which of them the assistant wrote."""
    encoded = tokenizer.apply_chat_template(
        list(messages), tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    return tuple(encoded["input_ids"]), tuple(bool(mask) for mask in encoded["assistant_masks"])
