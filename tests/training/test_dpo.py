from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from callwright.errors import CallwrightError, DataError
from callwright.params.train import LossType
from callwright.preferences.dialogue import check_rows, conversation_rows
from callwright.training.dpo import Examples, train, training_key
from tests.training.examples import DEMONSTRATIONS, EXAMPLES, PAIRS, PARAMS, PARAMS_WITH_WARM_UP, log_prob

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("training")]


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
    assert key == training_key(tiny_base, EXAMPLES, PARAMS.model_copy(update={"checkpoint_steps": 1}), 7)
    others.add(training_key(tiny_base, replace(EXAMPLES, demonstrations=DEMONSTRATIONS), PARAMS, 7))
    assert len(others | {key}) == 5


def test_no_pairs_and_too_long_pairs_are_refused_before_training(tiny_base: Path, tmp_path: Path):
    folders = {"student": tmp_path / "s", "adapter": tmp_path / "a", "work": tmp_path / "w"}
    with pytest.raises(DataError, match="no preference pairs"):
        train(tiny_base, Examples([]), PARAMS, seed=7, **folders)
    with pytest.raises(DataError, match=r"pair p10 cannot be trained on: it has \d+ tokens, train.max_length is 50"):
        train(tiny_base, Examples(PAIRS), PARAMS.model_copy(update={"max_length": 50}), seed=7, **folders)
    with pytest.raises(DataError, match="no correct chain to warm up on"):
        train(tiny_base, EXAMPLES, PARAMS_WITH_WARM_UP, seed=7, **folders)
    assert list(tmp_path.iterdir()) == []


def test_the_warm_up_imitates_and_its_adapter_goes_on_through_the_pairs(tiny_base: Path, tmp_path: Path):
    weak = PARAMS_WITH_WARM_UP.model_copy(update={"learning_rate": 1e-9})  # so that what changes comes from the warm-up
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
    assert conversation_rows(PAIRS[:1])[0]["chosen"] == [{"role": "assistant", "content": "add(a=10, b=3)"}]
    report, _ = check_rows(PAIRS[:1], tokenizer, 2048)
    sides = [tokenizer(f"{text}<|end|>")["input_ids"] for text in ("add(a=10, b=3)", "answer(value=3)")]
    assert report.completion_tokens == sum(len(ids) for ids in sides)


def test_a_template_that_rewrites_the_prompt_is_refused(tiny_base: Path):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    tokenizer.chat_template = "{{ messages | length }}{% for one in messages %}{{ one.content }}{% endfor %}"
    with pytest.raises(DataError, match="its prompt is not a prefix"):
        check_rows([replace(PAIRS[0], id="odd")], tokenizer, 2048)


def completions_log_probs(model: torch.nn.Module, folder: Path) -> torch.Tensor:
    """Log-probs of 40 tokens in a row, by the tokenizer in the folder."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.apply_chat_template([*PAIRS[0].prompt, *PAIRS[0].chosen], return_tensors="pt", return_dict=False)
    with torch.no_grad():
        log_probs = model(ids).logits.log_softmax(-1)[:, :-1]
    return log_probs.gather(-1, ids[:, 1:, None])[0, -40:, 0]


def test_adapter_and_merged_student_loaded_back_give_the_same_log_probs(tiny_base: Path, tmp_path: Path):
    folders = {"student": tmp_path / "student", "adapter": tmp_path / "adapter", "work": tmp_path / "work"}
    trained = train(tiny_base, Examples(PAIRS, PAIRS[:4]), PARAMS, seed=7, **folders)
    base = AutoModelForCausalLM.from_pretrained(tiny_base)
    before = completions_log_probs(base, tiny_base)
    adapted = completions_log_probs(PeftModel.from_pretrained(base, tmp_path / "adapter"), tmp_path / "adapter")
    merged = completions_log_probs(AutoModelForCausalLM.from_pretrained(tmp_path / "student"), tmp_path / "student")
    assert torch.allclose(adapted, merged, atol=1e-4)
    assert not torch.allclose(before, merged, atol=1e-2)
    on_dev = sum(log_prob(tmp_path / "student", one, one.chosen) for one in PAIRS[:4]) / 4
    assert on_dev == pytest.approx(trained.report["dev_chosen_log_probs"], abs=1e-3), "what the trainer saw at its end"


@pytest.mark.parametrize("epochs", [0, 1], ids=["from the base", "after a warm-up"])
def test_full_fine_tuning_moves_every_weight_and_leaves_no_adapter(tiny_base: Path, tmp_path: Path, epochs: int):
    sft = PARAMS.sft.model_copy(update={"epochs": epochs, "learning_rate": 1e-3})
    params = PARAMS.model_copy(update={"method": "full", "learning_rate": 1e-9 if epochs else 1e-3, "sft": sft})
    folders = {"student": tmp_path / "student", "adapter": tmp_path / "adapter", "work": tmp_path / "work"}
    trained = train(tiny_base, replace(EXAMPLES, demonstrations=DEMONSTRATIONS), params, seed=7, **folders)
    base = AutoModelForCausalLM.from_pretrained(tiny_base).state_dict()
    student = AutoModelForCausalLM.from_pretrained(tmp_path / "student").state_dict()
    assert all(not torch.equal(weight, student[name]) for name, weight in base.items())
    assert [path.name for path in (tmp_path / "adapter").iterdir()] == ["training.json"]
    if epochs:
        assert abs(trained.curves[-1]["margin"]) < 1e-3, "the reference is the warmed-up model, not the base"
    else:
        assert trained.curves[-1]["margin"] > 0.1


def test_every_loss_of_trl_trains(tiny_base: Path, tmp_path: Path):
    losses = list(get_args(LossType))
    params = PARAMS.model_copy(
        update={
            "loss_type": losses,
            "loss_weights": [0.1] * len(losses),
            "label_smoothing": 0.001,
            "order": "by_problem",
        }
    )
    folders = {"student": tmp_path / "student", "adapter": tmp_path / "adapter", "work": tmp_path / "work"}
    report = train(tiny_base, Examples(PAIRS[:8]), params, seed=7, **folders).report
    assert report["steps"] == 4  # 8 pairs, 4 a step, twice


def test_four_bits_without_a_gpu_are_refused_in_one_line(tiny_base: Path, tmp_path: Path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    folders = {"student": tmp_path / "student", "adapter": tmp_path / "adapter", "work": tmp_path / "work"}
    with pytest.raises(CallwrightError, match=r"train.method: qlora computes in 4 bits on a CUDA GPU alone; set lora"):
        train(tiny_base, EXAMPLES, PARAMS.model_copy(update={"method": "qlora"}), seed=7, **folders)


def test_a_learning_rate_that_breaks_the_training_stops_it_with_advice(tiny_base: Path, tmp_path: Path):
    params = PARAMS.model_copy(update={"learning_rate": 10.0, "method": "full"})
    folders = {"student": tmp_path / "student", "adapter": tmp_path / "adapter", "work": tmp_path / "work"}
    with pytest.raises(CallwrightError, match=r"at step \d+.* lower train.learning_rate \(now 10\)"):
        train(tiny_base, EXAMPLES, params, seed=7, **folders)
    assert not (tmp_path / "student").exists()
