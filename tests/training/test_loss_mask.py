"""Whole chains in the loss: what the model writes, and nothing of what it reads."""

import re
from itertools import groupby
from math import log
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from callwright.agent.loop import take_steps
from callwright.agent.protocol import NATIVE, TEXT
from callwright.chat.model import Reply, ToolCall
from callwright.errors import DataError
from callwright.params import PairsParams
from callwright.preferences.dialogue import check_rows, conversation_rows
from callwright.preferences.forks import pairs_from_forks
from callwright.records import Call, Chain, CheckedChain, Pair, Protocol, Usage, Verdict
from tests.chat.conftest import template, tiny_model, tokenizer_for
from tests.fakes import TOOLBOX, checked, problem

__all__ = ["tiny_model"]

OWN = problem()
WHOLE = PairsParams(
    mode="chain", min_margin=0.3, cost_weight=0.1, max_per_problem=9, max_kind_share=1.0, max_task_share=1.0
)
# Chat templates that ship inside TRL, and the token that ends a turn in each
END = {
    "qwen2_5": "<|im_end|>",
    "qwen3_instruct_2507": "<|im_end|>",
    "llama3_1": "<|eot_id|>",
    "llama3_2": "<|eot_id|>",
    "lfm2_v2": "<|im_end|>",
}
TEXT_ONLY = {"llama3": "<|eot_id|>", "gemma": "<end_of_turn>", "phi3": "<|end|>"}
RIGHT = (("", "add", '{"a": 2, "b": 3}'), ("Then.", "subtract", '{"a": 9, "b": 4}'), ("", "answer", '{"value": 5}'))
WRONG = (("So.", "add", '{"a": 3, "b": 3}'), ("", "divide", '{"a": 6, "b": 0}'), ("", "answer", '{"value": 6}'))


def record(protocol: Protocol, said: tuple, *, correct: bool) -> CheckedChain:
    """A chain whose replies were read and executed for real."""
    read, tools = (TEXT, NATIVE)[protocol == "native"], TOOLBOX.open()
    replies = [
        Reply(thought, "stop", Usage(), (ToolCall(name, given),))
        if protocol == "native"
        else Reply(
            f"{thought}\n{name}({re.sub('[{}]', '', given).replace(': ', '=').replace(chr(34), '')})", "stop", Usage()
        )
        for thought, name, given in said
    ]
    steps = tuple(step for reply in replies for step in take_steps(reply, read, TOOLBOX, tools))
    chain = Chain(f"{correct}", OWN.id, "teacher", protocol, steps, "answered", steps[-1].observation)
    return CheckedChain(chain, Verdict(chain.id, correct, (), None))


def whole_pair(protocol: Protocol) -> tuple[Pair, dict[str, CheckedChain]]:
    sides = {"chosen": record(protocol, RIGHT, correct=True), "rejected": record(protocol, WRONG, correct=False)}
    (pair,), _ = pairs_from_forks(sides.values(), {OWN.id: OWN}, WHOLE)
    return pair, sides


def tokenizer(name: str) -> Any:
    """A token a byte, and one that ends a turn."""
    made = tokenizer_for(template(name), [], (END | TEXT_ONLY)[name])
    made.bos_token = made.pad_token
    return made


def trainable(tokenizer: Any, pair: Pair, side: str) -> list[str]:
    """The stretches of tokens that a row of the pair is trained on, decoded; the tokens are TRL's."""
    _, (masks,) = check_rows([pair], tokenizer, 100_000)
    row = conversation_rows([pair])[0]
    tools = list(pair.tools) or None
    ask = {"tools": tools, "return_dict": False}
    prompt = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, **ask)
    ids = tokenizer.apply_chat_template(row["prompt"] + row[side], **ask)[len(prompt) :]
    marked = zip(ids, masks[f"{side}_mask"], strict=True)
    runs = [(kept, [token for token, _ in run]) for kept, run in groupby(marked, key=lambda one: one[1])]
    return [tokenizer.decode(run) for kept, run in runs if kept]


@pytest.mark.parametrize("side", ["chosen", "rejected"])
@pytest.mark.parametrize("name", [*END, *TEXT_ONLY])
def test_text_chains_are_trained_on_what_the_model_said_turn_by_turn(name, side):
    pair, sides = whole_pair("text")
    if name == "gemma":  # knows no system role
        pair = Pair(**{**{key: getattr(pair, key) for key in Pair.__slots__}, "prompt": pair.prompt[1:]})
    end = (END | TEXT_ONLY)[name]
    said = [TEXT.reply_message(step)["content"] + end for step in sides[side].chain.steps]
    assert trainable(tokenizer(name), pair, side) == said


@pytest.mark.parametrize("side", ["chosen", "rejected"])
@pytest.mark.parametrize("name", END)
def test_native_chains_are_trained_on_the_calls_that_the_model_made(name, side):
    pair, sides = whole_pair("native")
    turns = trainable(tokenizer(name), pair, side)
    assert all(turn.endswith(END[name]) for turn in turns)
    read = [NATIVE.read(Reply(turn.removesuffix(END[name]), "stop", Usage())) for turn in turns]
    made = [step.call for step in sides[side].chain.steps]
    calls = [call for ((_, call),) in read]
    assert all(isinstance(call, Call) for call in calls)
    assert [TOOLBOX.canonical(call) for call in calls] == [TOOLBOX.canonical(call) for call in made]
    for said in ("cannot divide by zero", OWN.question, "<tool_response>", "<|im_start|>", "start_header_id"):
        assert said not in "".join(turns)


def test_a_template_that_changes_earlier_replies_is_refused_with_what_to_do():
    pair, _ = whole_pair("text")
    with pytest.raises(DataError, match=r"pair p#0 cannot be trained on: .* set pairs.mode to step \(1 of 1 pairs\)"):
        check_rows([pair], tokenizer_for(template("qwen3"), []), 100_000)


def test_what_a_template_writes_after_the_end_of_a_turn_is_not_trained_on():
    step = PairsParams(**{**WHOLE.model_dump(), "mode": "step"})
    records = (checked("add(2, 3)", "answer(5)", correct=True), checked("add(3, 3)", "answer(6)", correct=False))
    (pair,), _ = pairs_from_forks(records, {OWN.id: OWN}, step)
    chatml = tokenizer("qwen2_5")
    assert trainable(chatml, pair, "chosen") == ["add(a=2, b=3)<|im_end|>"]
    report, _ = check_rows([pair], chatml, 100_000)
    assert report.completion_tokens == report.trained_tokens + 2  # a newline each


def test_the_collator_puts_the_masks_after_the_prompts():
    from callwright.training.batches import MaskedPreferenceCollator

    first = {"prompt_ids": [1, 2], "chosen_ids": [3, 4, 5], "rejected_ids": [6]}
    second = {"prompt_ids": [1], "chosen_ids": [7], "rejected_ids": [8, 9]}
    rows = [
        first | {"chosen_mask": [1, 0, 1], "rejected_mask": [1]},
        second | {"chosen_mask": [1], "rejected_mask": [0, 1]},
    ]
    batch = MaskedPreferenceCollator(0)(rows)
    assert batch["input_ids"].tolist() == [[1, 2, 3, 4, 5], [1, 7, 0, 0, 0], [1, 2, 6, 0, 0], [1, 8, 9, 0, 0]]
    assert batch["completion_mask"].tolist() == [[0, 0, 1, 0, 1], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0]]
    rows[0]["chosen_mask"] = [1, 0]
    with pytest.raises(ValueError, match="2 numbers mask 3 tokens"):
        MaskedPreferenceCollator(0)(rows)


def trainer_of(folder: Path, pairs: list[Pair], work: Path) -> Any:
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl import DPOConfig, DPOTrainer

    from callwright.training.batches import MaskedPreferenceCollator

    tokenizer = AutoTokenizer.from_pretrained(folder)
    _, masks = check_rows(pairs, tokenizer, 8_192)
    rows = [row | mask for row, mask in zip(conversation_rows(pairs), masks, strict=True)]
    return DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(folder),
        args=DPOConfig(output_dir=str(work), max_length=8_192, use_cpu=True, bf16=False, report_to="none", max_steps=2,
                       loss_type=["sigmoid", "sft"], loss_weights=[1.0, 1.0], learning_rate=1e-3, disable_tqdm=True,
                       per_device_train_batch_size=1, save_strategy="no", logging_steps=1, remove_unused_columns=False),
        train_dataset=Dataset.from_list(rows, on_mixed_types="use_json"),
        processing_class=tokenizer,
        data_collator=MaskedPreferenceCollator(tokenizer.pad_token_id),
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.xdist_group("training")
@pytest.mark.parametrize("protocol", ["text", "native"])
def test_trl_takes_its_loss_and_its_gradient_from_the_models_tokens_alone(tiny_model: Path, tmp_path: Path, protocol):
    from callwright.training.prefix_sharing import share_prefixes

    pair, _ = whole_pair(protocol)
    trainer = trainer_of(tiny_model, [pair], tmp_path)
    batch = next(iter(trainer.get_train_dataloader()))
    ids, mask = batch["input_ids"], batch["completion_mask"].bool()

    # By hand: the log-probabilities of the trainable tokens; the reference is the model itself, so the margin is 0
    with torch.no_grad():
        logits = trainer.model(input_ids=ids, attention_mask=batch["attention_mask"]).logits
    each = logits[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
    sft = -each[0][mask[0, 1:]].mean()
    loss = trainer.compute_loss(trainer.model, batch)
    assert loss.item() == pytest.approx(log(2) + sft.item(), abs=1e-4)
    completion = slice(int(mask[0].nonzero()[0, 0]) - 1, int(batch["attention_mask"][0].sum()) - 1)
    with_results = log(2) - each[0][completion].mean().item()
    assert loss.item() != pytest.approx(with_results, abs=1e-2)

    loss.backward()
    plain = {name: value.grad.clone() for name, value in trainer.model.named_parameters()}
    trainer.model.zero_grad()
    with share_prefixes(trainer.model) as shared:
        assert shared
        packed = trainer.compute_loss(trainer.model, batch)
        packed.backward()
    assert packed.item() == pytest.approx(loss.item(), abs=1e-4)
    for name, value in trainer.model.named_parameters():
        assert torch.allclose(value.grad, plain[name], rtol=1e-3, atol=1e-5), name


@pytest.mark.slow
@pytest.mark.xdist_group("training")
def test_a_training_on_whole_chains_prefers_the_right_one(tiny_model: Path, tmp_path: Path):
    from callwright.training.prefix_sharing import share_prefixes

    pair, _ = whole_pair("native")
    trainer = trainer_of(tiny_model, [pair], tmp_path)
    with share_prefixes(trainer.model):
        trainer.train()
    logged = [one for one in trainer.state.log_history if "rewards/margins" in one]
    assert logged[0]["rewards/margins"] == pytest.approx(0, abs=1e-4)
    assert logged[1]["rewards/margins"] > 0
    assert logged[1]["logps/chosen"] > logged[0]["logps/chosen"]


@pytest.mark.slow
@pytest.mark.xdist_group("training")
def test_the_train_stage_trains_the_embedded_student_on_whole_chains(tiny_base: Path, tmp_path: Path):
    from callwright.training.dpo import Examples, train
    from tests.training.examples import PARAMS

    pair, sides = whole_pair("text")
    folders = {"student": tmp_path / "student", "adapter": tmp_path / "adapter", "work": tmp_path / "work"}
    few = PARAMS.model_copy(update={"batch_size": 1, "max_length": 8_192, "epochs": 1})
    trained = train(tiny_base, Examples([pair] * 8), few, seed=7, **folders)
    assert trained.curves[-1]["margin"] > 0
    assert (folders["student"] / "model.safetensors").is_file()
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    said = [TEXT.reply_message(step)["content"] for one in sides.values() for step in one.chain.steps]
    written = sum(len(tokenizer(f"{reply}{tokenizer.eos_token}")["input_ids"]) for reply in said)
    assert trained.report["rows"]["trained_tokens"] == 8 * written < trained.report["rows"]["completion_tokens"]
