from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from callwright.agent.protocol import TEXT
from callwright.errors import DataError
from callwright.params import LoraParams, TrainParams, WarmUpParams
from callwright.preferences.dialogue import check_rows, rows_of
from callwright.records import Demonstration, Pair
from callwright.tasks import TASKS
from callwright.training.dpo import Examples, train, training_key

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("training")]
PARAMS = TrainParams(
    accelerate="cpu",
    processes=1,
    beta=0.3,
    learning_rate=5e-3,
    loss_type=["sigmoid", "sft"],
    loss_weights=[1.0, 1.0],
    epochs=2,
    batch_size=4,
    gradient_accumulation=1,
    max_length=2048,
    max_grad_norm=1.0,
    warmup_ratio=0.0,
    schedule="constant",
    gradient_checkpointing=False,
    sft=WarmUpParams(epochs=0, learning_rate=5e-3, batch_size=4),
    lora=LoraParams(r=4, alpha=8, dropout=0.0, target_modules="all-linear"),
)


def pair(number: int) -> Pair:
    messages, _ = TEXT.render(TASKS["arithmetic"], f"Tim has {number} pens and buys 3. How many has he?", ())
    chosen, rejected = f"add(a={number}, b=3)", "answer(value=3)"
    return Pair(
        id=f"p{number}",
        problem_id=f"p{number}",
        prompt=tuple(messages),
        chosen=({"role": "assistant", "content": chosen},),
        rejected=({"role": "assistant", "content": rejected},),
        tools=(),
        margin=1.0,
        kind="ungrounded_answer",
    )


PAIRS = [pair(number) for number in range(10, 42)]
EXAMPLES = Examples(PAIRS, PAIRS[:4])
WARM = PARAMS.model_copy(update={"sft": PARAMS.sft.model_copy(update={"epochs": 3})})


DEMONSTRATIONS = [Demonstration(one.id, one.problem_id, one.prompt, one.chosen, ()) for one in PAIRS]


def log_prob(folder: Path, one: Pair, side: tuple) -> float:
    """Natural log of the completion's probability, summed over its tokens."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template(list(one.prompt), add_generation_prompt=True, return_dict=False)
    whole = tokenizer.apply_chat_template([*one.prompt, *side], return_dict=False)
    with torch.no_grad():
        logits = model(torch.tensor([whole])).logits[0].log_softmax(-1)
    return sum(float(logits[place - 1, whole[place]]) for place in range(len(prompt), len(whole)))


def test_training_widens_the_margin_and_the_merged_student_shows_it(tiny_base: Path, tmp_path: Path):
    logged: list[tuple[dict, int]] = []
    trained = train(
        tiny_base,
        EXAMPLES,
        PARAMS,
        seed=7,
        student=tmp_path / "student",
        adapter=tmp_path / "adapter",
        work=tmp_path / "work",
        log=lambda row, step: logged.append((row, step)),
    )
    one = PAIRS[0]
    before = log_prob(tiny_base, one, one.chosen) - log_prob(tiny_base, one, one.rejected)
    after = log_prob(tmp_path / "student", one, one.chosen) - log_prob(tmp_path / "student", one, one.rejected)
    assert after > before + 1
    assert trained.report["steps"] == 16  # 32 pairs, 4 a step, 2 epochs
    assert trained.curves[-1]["preferred"] == 1.0
    assert {"loss", "margin", "chosen_log_probs", "grad_norm"} <= set(trained.curves[0])
    assert any("dev_loss" in row for row, _ in logged)
    assert {"model.safetensors", "tokenizer.json", "training.json"} <= {
        path.name for path in (tmp_path / "student").iterdir()
    }
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()


def test_the_key_changes_with_whatever_determines_the_result(tiny_base: Path):
    key = training_key(tiny_base, EXAMPLES, PARAMS, 7)
    assert key == training_key(tiny_base, EXAMPLES, PARAMS, 7)
    others = {
        training_key(tiny_base, Examples(PAIRS[1:], PAIRS[:4]), PARAMS, 7),
        training_key(tiny_base, EXAMPLES, PARAMS.model_copy(update={"beta": 0.1}), 7),
        training_key(tiny_base, EXAMPLES, PARAMS, 8),
    }
    others.add(training_key(tiny_base, replace(EXAMPLES, demonstrations=DEMONSTRATIONS), PARAMS, 7))
    assert len(others | {key}) == 5


def test_no_pairs_and_too_long_pairs_are_refused_before_training(tiny_base: Path, tmp_path: Path):
    folders = {"student": tmp_path / "s", "adapter": tmp_path / "a", "work": tmp_path / "w"}
    with pytest.raises(DataError, match="no preference pairs"):
        train(tiny_base, Examples([]), PARAMS, seed=7, **folders)
    with pytest.raises(DataError, match=r"pair p10 cannot be trained on: it has \d+ tokens, train.max_length is 50"):
        train(tiny_base, Examples(PAIRS), PARAMS.model_copy(update={"max_length": 50}), seed=7, **folders)
    with pytest.raises(DataError, match="no correct chain to warm up on"):
        train(tiny_base, EXAMPLES, WARM, seed=7, **folders)
    assert list(tmp_path.iterdir()) == []


def test_the_warm_up_imitates_and_its_adapter_goes_on_through_the_pairs(tiny_base: Path, tmp_path: Path):
    weak = WARM.model_copy(update={"learning_rate": 1e-9})  # so that what changes comes from the warm-up
    examples = replace(EXAMPLES, demonstrations=DEMONSTRATIONS)
    folders = {"student": tmp_path / "student", "adapter": tmp_path / "adapter", "work": tmp_path / "work"}
    trained = train(tiny_base, examples, weak, seed=7, **folders)
    one = PAIRS[0]
    assert log_prob(tmp_path / "student", one, one.chosen) > log_prob(tiny_base, one, one.chosen) + 1
    assert abs(trained.curves[-1]["margin"]) < 1e-3, "the reference is the warmed-up model, not the base"
    with_adapter = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_base), tmp_path / "adapter")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "student")
    ids = torch.arange(300, 340)[None]
    assert torch.allclose(with_adapter(ids).logits, merged(ids).logits, atol=1e-4)


def test_rows_are_conversations_and_their_tokens_are_counted(tiny_base: Path):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    assert rows_of(PAIRS[:1])[0]["chosen"] == [{"role": "assistant", "content": "add(a=10, b=3)"}]
    report = check_rows(PAIRS[:1], tokenizer, 2048)
    sides = [tokenizer(f"{text}<|end|>")["input_ids"] for text in ("add(a=10, b=3)", "answer(value=3)")]
    assert report.completion_tokens == sum(len(ids) for ids in sides)


def test_a_template_that_rewrites_the_prompt_is_refused(tiny_base: Path):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    tokenizer.chat_template = "{{ messages | length }}{% for one in messages %}{{ one.content }}{% endfor %}"
    with pytest.raises(DataError, match="its prompt is not a prefix"):
        check_rows([replace(PAIRS[0], id="odd")], tokenizer, 2048)
