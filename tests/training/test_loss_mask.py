"""Training on whole chains: the loss is on what the model writes, and not on what it reads."""

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
from callwright.preferences.dialogue import check_rows
from callwright.preferences.forks import pairs_from_forks
from callwright.records import Call, Chain, CheckedChain, Pair, Protocol, Usage, Verdict
from callwright.tasks import TASKS
from tests.chat.conftest import template, tiny_model, tokenizer_for
from tests.fakes import TOOLBOX, checked, problem

__all__ = ["tiny_model"]

PROBLEM = problem()
CHAIN_MODE = PairsParams(
    mode="chain", min_margin=0.3, cost_weight=0.1, max_per_problem=9, max_kind_share=1.0, max_task_share=1.0
)
# Chat templates that ship with TRL, and the token that ends a turn in each.
END_TOKENS = {
    "qwen2_5": "<|im_end|>",
    "qwen3_instruct_2507": "<|im_end|>",
    "llama3_1": "<|eot_id|>",
    "llama3_2": "<|eot_id|>",
    "lfm2_v2": "<|im_end|>",
}
TEXT_ONLY_END_TOKENS = {"llama3": "<|eot_id|>", "gemma": "<end_of_turn>", "phi3": "<|end|>"}
RIGHT = (("", "add", '{"a": 2, "b": 3}'), ("Then.", "subtract", '{"a": 9, "b": 4}'), ("", "answer", '{"value": 5}'))
WRONG = (("So.", "add", '{"a": 3, "b": 3}'), ("", "divide", '{"a": 6, "b": 0}'), ("", "answer", '{"value": 6}'))


def checked_chain(protocol: Protocol, moves: tuple, *, correct: bool) -> CheckedChain:
    """A chain of (thought, function, JSON arguments), read and executed by the agent's code."""
    reader, tools = (TEXT, NATIVE)[protocol == "native"], TOOLBOX.open()
    replies = [
        Reply(thought, "stop", Usage(), (ToolCall(name, arguments),))
        if protocol == "native"
        else Reply(
            f"{thought}\n{name}({re.sub('[{}]', '', arguments).replace(': ', '=').replace(chr(34), '')})",
            "stop",
            Usage(),
        )
        for thought, name, arguments in moves
    ]
    steps = tuple(step for reply in replies for step in take_steps(reply, reader, TOOLBOX, tools))
    chain = Chain(f"{correct}", PROBLEM.id, "teacher", protocol, steps, "answered", steps[-1].observation)
    return CheckedChain(chain, Verdict(chain.id, correct, (), None))


def chain_pair(protocol: Protocol) -> tuple[Pair, dict[str, CheckedChain]]:
    """A pair of whole chains, and the chain of each side."""
    sides = {
        "chosen": checked_chain(protocol, RIGHT, correct=True),
        "rejected": checked_chain(protocol, WRONG, correct=False),
    }
    (pair,), _ = pairs_from_forks(sides.values(), {PROBLEM.id: PROBLEM}, TASKS, CHAIN_MODE)
    return pair, sides


def tokenizer(name: str) -> Any:
    """A tokenizer with one token per byte, and one that ends a turn."""
    bytes_tokenizer = tokenizer_for(template(name), [], (END_TOKENS | TEXT_ONLY_END_TOKENS)[name])
    bytes_tokenizer.bos_token = bytes_tokenizer.pad_token
    return bytes_tokenizer


def trained_texts(tokenizer: Any, pair: Pair, side: str) -> list[str]:
    """The parts of one side that are trained on, decoded."""
    _, (row,) = check_rows([pair], tokenizer, 100_000)
    masked_ids = zip(row[f"{side}_ids"], row[f"{side}_mask"], strict=True)
    runs = [(trained, [token for token, _ in run]) for trained, run in groupby(masked_ids, key=lambda pair: pair[1])]
    return [tokenizer.decode(run) for trained, run in runs if trained]


@pytest.mark.parametrize("side", ["chosen", "rejected"])
@pytest.mark.parametrize("name", [*END_TOKENS, *TEXT_ONLY_END_TOKENS])
def test_text_chains_are_trained_on_each_reply_of_the_model(name, side):
    pair, sides = chain_pair("text")
    if name == "gemma":  # it has no system role
        pair = Pair(**{**{key: getattr(pair, key) for key in Pair.__slots__}, "prompt": pair.prompt[1:]})
    end = (END_TOKENS | TEXT_ONLY_END_TOKENS)[name]
    replies = [TEXT.reply_message(step)["content"] + end for step in sides[side].chain.steps]
    assert trained_texts(tokenizer(name), pair, side) == replies


@pytest.mark.parametrize("side", ["chosen", "rejected"])
@pytest.mark.parametrize("name", END_TOKENS)
def test_native_chains_are_trained_on_the_models_calls(name, side):
    pair, sides = chain_pair("native")
    turns = trained_texts(tokenizer(name), pair, side)
    assert all(turn.endswith(END_TOKENS[name]) for turn in turns)
    parsed = [NATIVE.read(Reply(turn.removesuffix(END_TOKENS[name]), "stop", Usage())) for turn in turns]
    calls = [call for ((_, call),) in parsed]
    assert all(isinstance(call, Call) for call in calls)
    recorded = [step.call for step in sides[side].chain.steps]
    assert [TOOLBOX.canonical(call) for call in calls] == [TOOLBOX.canonical(call) for call in recorded]
    for text in ("cannot divide by zero", PROBLEM.question, "<tool_response>", "<|im_start|>", "start_header_id"):
        assert text not in "".join(turns)


def test_the_error_for_a_template_that_changes_earlier_replies_says_what_to_do():
    pair, _ = chain_pair("text")
    with pytest.raises(DataError, match=r"pair p#0 cannot be trained on: .* set pairs.mode to step \(1 of 1 pairs\)"):
        check_rows([pair], tokenizer_for(template("qwen3"), []), 100_000)


def test_text_that_a_template_adds_after_a_turn_is_not_trained_on():
    step = PairsParams(**{**CHAIN_MODE.model_dump(), "mode": "step"})
    records = (checked("add(2, 3)", "answer(5)", correct=True), checked("add(3, 3)", "answer(6)", correct=False))
    (pair,), _ = pairs_from_forks(records, {PROBLEM.id: PROBLEM}, TASKS, step)
    chatml = tokenizer("qwen2_5")
    assert trained_texts(chatml, pair, "chosen") == ["add(a=2, b=3)<|im_end|>"]
    report, _ = check_rows([pair], chatml, 100_000)
    assert report.completion_tokens == report.trained_tokens + 2  # one newline per side


def build_trainer(folder: Path, pair: Pair, work: Path) -> Any:
    """A trainer with one batch an epoch, for two epochs."""
    from transformers import AutoModelForCausalLM
    from trl import DPOConfig

    from callwright.training.batches import (
        MaskedPreferenceCollator,
        PlannedBatchSampler,
        PlannedDPOTrainer,
        token_dataset,
    )

    tokenizer = AutoTokenizer.from_pretrained(folder)
    _, rows = check_rows([pair, pair], tokenizer, 8_192)
    trainer = PlannedDPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(folder),
        args=DPOConfig(output_dir=str(work), max_length=None, use_cpu=True, bf16=False, report_to="none", max_steps=2,
                       loss_type=["sigmoid", "sft"], loss_weights=[1.0, 1.0], learning_rate=1e-3, disable_tqdm=True,
                       per_device_train_batch_size=1, save_strategy="no", logging_steps=1, remove_unused_columns=False),
        train_dataset=token_dataset(rows),
        processing_class=tokenizer,
        data_collator=MaskedPreferenceCollator(tokenizer.pad_token_id),
    )  # fmt: skip
    trainer.batch_sampler = PlannedBatchSampler([[1], [1]])
    return trainer


@pytest.mark.slow
@pytest.mark.xdist_group("training")
@pytest.mark.parametrize("protocol", ["text", "native"])
def test_trls_loss_and_gradient_come_from_the_models_tokens_only(tiny_model: Path, tmp_path: Path, protocol):
    from callwright.training.prefix_sharing import share_prefixes

    pair, _ = chain_pair(protocol)
    trainer = build_trainer(tiny_model, pair, tmp_path)
    batch = next(iter(trainer.get_train_dataloader()))
    ids, mask = batch["input_ids"], batch["completion_mask"].bool()

    # The expected loss by hand. The reference is the model itself, so the margin is 0.
    with torch.no_grad():
        logits = trainer.model(input_ids=ids, attention_mask=batch["attention_mask"]).logits
    log_probs = logits[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
    sft = -log_probs[0][mask[0, 1:]].mean()
    loss = trainer.compute_loss(trainer.model, batch)
    assert loss.item() == pytest.approx(log(2) + sft.item(), abs=1e-4)
    completion = slice(int(mask[0].nonzero()[0, 0]) - 1, int(batch["attention_mask"][0].sum()) - 1)
    with_results = log(2) - log_probs[0][completion].mean().item()
    assert loss.item() != pytest.approx(with_results, abs=1e-2)

    loss.backward()
    gradients = {name: value.grad.clone() for name, value in trainer.model.named_parameters()}
    trainer.model.zero_grad()
    with share_prefixes(trainer.model) as shared:
        assert shared
        packed = trainer.compute_loss(trainer.model, batch)
        packed.backward()
    assert packed.item() == pytest.approx(loss.item(), abs=1e-4)
    for name, value in trainer.model.named_parameters():
        assert torch.allclose(value.grad, gradients[name], rtol=1e-3, atol=1e-5), name


@pytest.mark.slow
@pytest.mark.xdist_group("training")
def test_a_training_on_whole_chains_prefers_the_right_one(tiny_model: Path, tmp_path: Path):
    from callwright.training.prefix_sharing import share_prefixes

    pair, _ = chain_pair("native")
    trainer = build_trainer(tiny_model, pair, tmp_path)
    with share_prefixes(trainer.model):
        trainer.train()
    logged = [entry for entry in trainer.state.log_history if "rewards/margins" in entry]
    assert logged[0]["rewards/margins"] == pytest.approx(0, abs=1e-4)
    assert logged[1]["rewards/margins"] > 0
    assert logged[1]["logps/chosen"] > logged[0]["logps/chosen"]


@pytest.mark.slow
@pytest.mark.xdist_group("training")
def test_the_embedded_student_is_trained_on_whole_chains(tiny_base: Path, tmp_path: Path):
    from callwright.training.dpo import Examples, train
    from tests.training.examples import NO_VIEWS, PARAMS

    pair, sides = chain_pair("text")
    folders = {"student": tmp_path / "student", "adapter": tmp_path / "adapter", "work": tmp_path / "work"}
    few = PARAMS.model_copy(update={"batch_size": 1, "max_length": 8_192, "epochs": 1})
    trained = train(tiny_base, Examples([pair] * 8), few, TASKS, NO_VIEWS, seed=7, **folders)
    assert trained.curves[-1]["margin"] > 0
    assert (folders["student"] / "model.safetensors").is_file()
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    replies = [TEXT.reply_message(step)["content"] for side in sides.values() for step in side.chain.steps]
    reply_tokens = sum(len(tokenizer(f"{reply}{tokenizer.eos_token}")["input_ids"]) for reply in replies)
    assert trained.report.rows.trained_tokens == 8 * reply_tokens < trained.report.rows.completion_tokens
