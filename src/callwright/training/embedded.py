"""The embedded student: a Llama-style model (Qwen3's) of under a million parameters, built from scratch in minutes.

It plays the part of a general small model where none can be downloaded: it knows the call syntax and one-call
problems, and is weak at chains of several steps.
"""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from callwright.chat.model import Message
from callwright.params import EmbeddedStudent
from callwright.training.demonstrations import demonstrations
from callwright.training.tokenizer import train_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

IGNORED = -100
WARM_UP, COOL_DOWN = 0.05, 0.6  # shares of the steps
MICRO_BATCHES = 3  # parts that a batch of one task has
TOKENIZER_ROWS = 4_000  # demonstrations that the tokenizer's merges are learned from
ADAM_SHARE = 0.15  # AdamW's learning rate, as a share of Muon's
ROPE_THETA = 500.0  # rows are short; with the usual 10,000, copying takes several times the rows (docs/decisions/0003)
WIDTHS = 16  # rows are padded to multiples of it: matrix products are prepared anew for every shape


@dataclass(frozen=True, slots=True)
class Encoded:
    """One demonstration: token ids and, per token, whether the model wrote it."""

    task: str
    ids: tuple[int, ...]
    written: tuple[bool, ...]


def build_embedded(folder: Path, recipe: EmbeddedStudent, seed: int) -> dict[str, Any]:
    """Train tokenizer and model from scratch and save them as a Hugging Face folder.

    Returns:
        The recipe as it was carried out: sizes, steps, last loss.
    """
    torch.manual_seed(seed)
    careful, careless = (_demonstrations(recipe, share, seed) for share in (0.0, recipe.careless_share))
    shown = random.Random(f"tokenizer/{seed}").sample(careless, min(TOKENIZER_ROWS, len(careless)))
    tokenizer = train_tokenizer([text for _, row in shown for text in _texts(row)], recipe.vocabulary)
    model = _new_model(recipe, tokenizer)
    phases = [[encode(tokenizer, task, messages) for task, messages in pool] for pool in (careful, careless)]
    loss = _fit(model, phases, recipe, seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return {
        "source": "embedded",
        "seed": seed,
        **recipe.model_dump(),
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "loss": round(loss, 4),
    }


def _demonstrations(recipe: EmbeddedStudent, careless_share: float, seed: int) -> list[tuple[str, list[Message]]]:
    """Each task's share of the conversations, with the task's name."""
    return [
        (task, messages)
        for task, share in recipe.tasks.model_dump().items()
        for messages in itertools.islice(
            demonstrations(task, careless_share, seed), round(share * recipe.demonstrations)
        )
    ]


def _texts(messages: Sequence[Message]) -> list[str]:
    return [message["content"] for message in messages]


def _new_model(recipe: EmbeddedStudent, tokenizer: "PreTrainedTokenizerFast") -> "PreTrainedModel":
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


def encode(tokenizer: "PreTrainedTokenizerFast", task: str, messages: Sequence[Message]) -> Encoded:
    """Token ids of a conversation, with the assistant's tokens marked."""
    encoded = tokenizer.apply_chat_template(
        list(messages), tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    return Encoded(task, tuple(encoded["input_ids"]), tuple(bool(mask) for mask in encoded["assistant_masks"]))


def _fit(model: "PreTrainedModel", phases: Sequence[Sequence[Encoded]], recipe: EmbeddedStudent, seed: int) -> float:
    """Muon for the weight matrices (some three times fewer rows than AdamW here), AdamW for the rest.

    First careful demonstrations, from which copying and the functions are learned quickly, then careless ones. Most
    steps leave the system prompt out, which is most of a row's cost; the last `prompt_steps` read it too.
    """
    rng = random.Random(f"fit/{seed}")
    matrices = [w for name, w in model.named_parameters() if w.ndim == 2 and "embed" not in name]
    rest = [w for name, w in model.named_parameters() if w.ndim != 2 or "embed" in name]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.Muon(matrices, lr=recipe.learning_rate, momentum=0.95, weight_decay=0.0),
        torch.optim.AdamW(rest, lr=ADAM_SHARE * recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.01),
    ]
    schedules = [torch.optim.lr_scheduler.LambdaLR(one, partial(_rate, recipe.steps)) for one in optimizers]
    prefixes = _common_prefixes([*phases[0], *phases[1]])
    model.train()
    recent: list[float] = []
    for step in range(recipe.steps):
        rows = phases[step >= recipe.steps - recipe.careless_steps]
        read_prompt = step >= recipe.steps - recipe.prompt_steps
        parts = _parts(rng.sample(rows, recipe.batch_size))
        wanted = sum(_weight(row, len(prefixes[row.task]), recipe.question_weight) for part in parts for row in part)
        loss = 0.0
        for part in parts:
            with torch.autocast("cpu", torch.bfloat16, enabled=_has_bfloat16()):
                lost = _loss(model, prefixes[part[0].task], part, recipe.question_weight, read_prompt=read_prompt)
            lost = lost / wanted
            torch.autograd.backward(lost)
            loss += float(lost.detach())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            schedule.step()
        model.zero_grad(set_to_none=True)
        recent = [*recent[-49:], loss]
    model.eval()
    return sum(recent) / len(recent)


def _has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 matrices itself (several times faster than float32); others emulate it."""
    able = torch.cpu.get_capabilities()
    return any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _rate(steps: int, step: int) -> float:
    """Warm-up, plateau, and a linear way down over the last COOL_DOWN of the steps."""
    return min(1.0, (step + 1) / (WARM_UP * steps), max(0.01, (steps - step) / (COOL_DOWN * steps)))


def _parts(rows: Sequence[Encoded]) -> list[list[Encoded]]:
    """A random batch in parts of one task and about one length: little padding, and still a mixed batch."""
    size = -(-len(rows) // MICRO_BATCHES)
    parts = []
    for task in sorted({row.task for row in rows}):
        ordered = sorted((row for row in rows if row.task == task), key=lambda row: len(row.ids))
        parts += [ordered[start : start + size] for start in range(0, len(ordered), size)]
    return parts


def _weight(row: Encoded, start: int, question_weight: float) -> float:
    """What a row counts in the loss: its written tokens, and a share of the others after the prompt."""
    return sum(1.0 if written else question_weight for written in row.written[start:])


def _common_prefixes(encoded: Sequence[Encoded]) -> dict[str, tuple[int, ...]]:
    """The tokens that all conversations of a task begin with, its system prompt, by task."""
    prefixes = {}
    for task in {row.task for row in encoded}:
        ids = [row.ids for row in encoded if row.task == task]
        shared = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(min(ids), max(ids), strict=False))
        prefixes[task] = tuple(token for token, _ in shared)
    return prefixes


def _loss(
    model: "PreTrainedModel",
    prefix: tuple[int, ...],
    batch: Sequence[Encoded],
    question_weight: float,
    *,
    read_prompt: bool,
) -> Tensor:
    """Summed loss of the tokens that the model writes, plus a share of the question's; the prompt is computed once."""
    start = len(prefix) - 1  # its last token is each row's first input
    longest = max(len(row.ids) for row in batch) - start
    width = 1 + -(-(longest - 1) // WIDTHS) * WIDTHS
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    weights = torch.zeros(len(batch), width)
    for place, row in enumerate(batch):
        length = len(row.ids) - start
        ids[place, :length] = torch.tensor(row.ids[start:])
        weights[place, :length] = torch.where(torch.tensor(row.written[start:]), 1.0, question_weight)
    cache = None
    if read_prompt:
        cache = model(input_ids=torch.tensor([prefix[:-1]]), use_cache=True, logits_to_keep=1).past_key_values
        cache.batch_repeat_interleave(len(batch))
    positions = torch.arange(start, start + width - 1).expand(len(batch), -1)
    logits = model(input_ids=ids[:, :-1], position_ids=positions, past_key_values=cache, use_cache=read_prompt).logits
    losses = cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    return (losses * weights[:, 1:].flatten()).sum()
