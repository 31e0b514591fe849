"""Preference training on a tiny base: results, checks of its data, and errors."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from callwright.agent.conversation import rendered
from callwright.errors import CallwrightError, DataError
from callwright.params import TrainParams, ViewsParams
from callwright.params.train import LossType
from callwright.preferences.dialogue import check_rows
from callwright.reports.train import BatchCounts
from callwright.tasks import TASKS
from callwright.tasks.draw_view import draw_views
from callwright.tasks.tasks import Tasks
from callwright.training.dpo import Examples, train, training_key
from tests.training.examples import (
    DEMONSTRATIONS,
    EXAMPLES,
    NEW_NAMES,
    NO_VIEWS,
    PAIRS,
    PARAMS,
    PARAMS_WITH_WARM_UP,
    REWORDED,
    log_prob,
    margin,
    reworded_tasks,
)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("training")]


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    return {name: tmp_path / name for name in ("student", "adapter", "work")}


def test_training_widens_the_margin_of_the_merged_student(tiny_base: Path, folders: dict[str, Path]):
    logged: list[tuple[dict, int]] = []
    trained = train(
        tiny_base,
        EXAMPLES,
        PARAMS,
        TASKS,
        NO_VIEWS,
        seed=7,
        **folders,
        log=lambda metrics, step: logged.append((metrics, step)),
    )
    assert margin(folders["student"], PAIRS[0]) > margin(tiny_base, PAIRS[0]) + 1
    assert trained.report.steps == 16  # 32 pairs, 4 a step, 2 epochs
    assert trained.curves[-1]["preferred"] == 1.0
    assert {"loss", "margin", "chosen_log_probs", "grad_norm"} <= set(trained.curves[0])
    assert any("dev_loss" in metrics for metrics, _ in logged)
    assert {"model.safetensors", "tokenizer.json", "training.json"} <= {
        path.name for path in folders["student"].iterdir()
    }
    assert (folders["adapter"] / "adapter_model.safetensors").is_file()


def test_the_key_depends_on_everything_that_determines_the_result_and_nothing_else(tiny_base: Path):
    def key_of(
        examples: Examples = EXAMPLES,
        params: TrainParams = PARAMS,
        tasks: Tasks = TASKS,
        views: ViewsParams = NO_VIEWS,
        seed: int = 7,
    ) -> str:
        return training_key(tiny_base, examples, params, tasks, views, seed)

    key = key_of()
    assert key == key_of(params=PARAMS.model_copy(update={"checkpoint_steps": 1}))
    assert key == key_of(views=NO_VIEWS.model_copy(update={"rollout": 3}))
    other_keys = {
        key_of(Examples(PAIRS[1:], PAIRS[:4])),
        key_of(replace(EXAMPLES, demonstrations=DEMONSTRATIONS)),
        key_of(params=PARAMS.model_copy(update={"beta": 0.1})),
        key_of(views=NEW_NAMES),
        key_of(views=REWORDED),
        key_of(views=REWORDED, tasks=reworded_tasks("Another sum.")),
        key_of(seed=8),
    }
    assert len(other_keys | {key}) == 8
    assert key == key_of(tasks=reworded_tasks("Another sum.")), "no batch shows it"


@pytest.mark.parametrize("phase", ["warm-up", "pairs"])
def test_a_student_that_is_trained_in_views_prefers_the_right_call_under_names_it_has_never_seen(
    tiny_base: Path, folders: dict[str, Path], phase: str
):
    """It is trained on views with seed 7, and tested in a view of another seed."""
    params = PARAMS if phase == "pairs" else PARAMS_WITH_WARM_UP
    train(tiny_base, replace(EXAMPLES, demonstrations=DEMONSTRATIONS), params, TASKS, NEW_NAMES, seed=7, **folders)
    _, view = draw_views(TASKS["arithmetic"], NEW_NAMES, 2, 8, "test")
    shown = rendered(PAIRS[0], TASKS["arithmetic"], view)
    assert shown.chosen != PAIRS[0].chosen
    assert margin(folders["student"], shown) > margin(tiny_base, shown) + 1


def test_the_report_counts_rows_batches_and_views(tiny_base: Path, folders: dict[str, Path]):
    views = NEW_NAMES.model_copy(update={"plain": 0.25})
    examples = replace(EXAMPLES, demonstrations=DEMONSTRATIONS)
    report = train(tiny_base, examples, PARAMS_WITH_WARM_UP, TASKS, views, seed=7, **folders).report
    assert (report.pairs, report.dev_pairs, report.rows.rows) == (32, 4, 2 * 32 + 4)  # two epochs
    assert report.batches == BatchCounts(batches=16, views=13, plain=0.25)  # 4 of 16 are plain, and have one view
    assert report.warm_up_batches == BatchCounts(batches=24, views=19, plain=0.25)  # three epochs


def test_missing_and_too_long_data_are_errors_before_training(
    tiny_base: Path, tmp_path: Path, folders: dict[str, Path]
):
    with pytest.raises(DataError, match="no preference pairs"):
        train(tiny_base, Examples([]), PARAMS, TASKS, NO_VIEWS, seed=7, **folders)
    with pytest.raises(DataError, match=r"pair p\d+ cannot be trained on: it has \d+ tokens, train.max_length is 50"):
        train(
            tiny_base, Examples(PAIRS), PARAMS.model_copy(update={"max_length": 50}), TASKS, NO_VIEWS, seed=7, **folders
        )
    with pytest.raises(DataError, match="no correct chain to warm up on"):
        train(tiny_base, EXAMPLES, PARAMS_WITH_WARM_UP, TASKS, NO_VIEWS, seed=7, **folders)
    assert list(tmp_path.iterdir()) == []


def test_the_warm_up_imitates_and_preference_training_continues_its_adapter(tiny_base: Path, folders: dict[str, Path]):
    # With this learning rate of the preference training, all changes come from the warm-up.
    params = PARAMS_WITH_WARM_UP.model_copy(update={"learning_rate": 1e-9})
    examples = replace(EXAMPLES, demonstrations=DEMONSTRATIONS)
    trained = train(tiny_base, examples, params, TASKS, NO_VIEWS, seed=7, **folders)
    pair = PAIRS[0]
    assert log_prob(folders["student"], pair, pair.chosen) > log_prob(tiny_base, pair, pair.chosen) + 1
    assert abs(trained.curves[-1]["margin"]) < 1e-3, "the reference is the warmed-up model, not the base"
    with_adapter = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_base), folders["adapter"])
    merged = AutoModelForCausalLM.from_pretrained(folders["student"])
    ids = torch.arange(300, 340)[None]
    assert torch.allclose(with_adapter(ids).logits, merged(ids).logits, atol=1e-4)


def test_the_completion_tokens_of_rows_are_counted(tiny_base: Path):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    report, _ = check_rows(PAIRS[:1], tokenizer, 2048)
    sides = [tokenizer(f"{text}<|end|>")["input_ids"] for text in ("add(a=10, b=3)", "answer(value=3)")]
    assert report.completion_tokens == sum(len(ids) for ids in sides)


def test_a_template_that_rewrites_the_prompt_is_an_error(tiny_base: Path):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    tokenizer.chat_template = "{{ messages | length }}{% for message in messages %}{{ message.content }}{% endfor %}"
    with pytest.raises(DataError, match="its prompt is not a prefix"):
        check_rows([replace(PAIRS[0], id="odd")], tokenizer, 2048)


def completions_log_probs(model: torch.nn.Module, folder: Path) -> torch.Tensor:
    """Log-probs of the last 40 tokens of a pair's chosen side, with the folder's tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.apply_chat_template([*PAIRS[0].prompt, *PAIRS[0].chosen], return_tensors="pt", return_dict=False)
    with torch.no_grad():
        log_probs = model(ids).logits.log_softmax(-1)[:, :-1]
    return log_probs.gather(-1, ids[:, 1:, None])[0, -40:, 0]


def test_the_saved_adapter_and_the_merged_student_give_the_same_log_probs(tiny_base: Path, folders: dict[str, Path]):
    trained = train(tiny_base, Examples(PAIRS, PAIRS[:4]), PARAMS, TASKS, NO_VIEWS, seed=7, **folders)
    base = AutoModelForCausalLM.from_pretrained(tiny_base)
    before = completions_log_probs(base, tiny_base)
    adapter, student = folders["adapter"], folders["student"]
    adapted = completions_log_probs(PeftModel.from_pretrained(base, adapter), adapter)
    merged = completions_log_probs(AutoModelForCausalLM.from_pretrained(student), student)
    assert torch.allclose(adapted, merged, atol=1e-4)
    assert not torch.allclose(before, merged, atol=1e-2)
    on_dev = sum(log_prob(student, pair, pair.chosen) for pair in PAIRS[:4]) / 4
    assert on_dev == pytest.approx(trained.report.dev_chosen_log_probs, abs=1e-3), "the trainer's last evaluation"


@pytest.mark.parametrize("epochs", [0, 1], ids=["from the base", "after a warm-up"])
def test_full_fine_tuning_changes_every_weight_and_writes_no_adapter(
    tiny_base: Path, folders: dict[str, Path], epochs: int
):
    sft = PARAMS.sft.model_copy(update={"epochs": epochs, "learning_rate": 1e-3})
    params = PARAMS.model_copy(update={"method": "full", "learning_rate": 1e-9 if epochs else 1e-3, "sft": sft})
    trained = train(
        tiny_base, replace(EXAMPLES, demonstrations=DEMONSTRATIONS), params, TASKS, NO_VIEWS, seed=7, **folders
    )
    base = AutoModelForCausalLM.from_pretrained(tiny_base).state_dict()
    student = AutoModelForCausalLM.from_pretrained(folders["student"]).state_dict()
    assert all(not torch.equal(weight, student[name]) for name, weight in base.items())
    assert [path.name for path in folders["adapter"].iterdir()] == ["training.json"]
    if epochs:
        assert abs(trained.curves[-1]["margin"]) < 1e-3, "the reference is the warmed-up model, not the base"
    else:
        assert trained.curves[-1]["margin"] > 0.1


def test_every_loss_of_trl_can_be_used(tiny_base: Path, folders: dict[str, Path]):
    losses = list(get_args(LossType))
    params = PARAMS.model_copy(
        update={
            "loss_type": losses,
            "loss_weights": [0.1] * len(losses),
            "label_smoothing": 0.001,
            "order": "by_problem",
        }
    )
    report = train(tiny_base, Examples(PAIRS[:8]), params, TASKS, NO_VIEWS, seed=7, **folders).report
    assert report.steps == 4  # 8 pairs, 4 a step, twice


def test_qlora_without_a_gpu_gives_a_one_line_error(tiny_base: Path, folders: dict[str, Path]):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(CallwrightError, match=r"train.method: qlora computes in 4 bits only on a CUDA GPU; set lora"):
        train(tiny_base, EXAMPLES, PARAMS.model_copy(update={"method": "qlora"}), TASKS, NO_VIEWS, seed=7, **folders)


def test_a_training_with_an_exploding_loss_stops_with_advice(tiny_base: Path, folders: dict[str, Path]):
    params = PARAMS.model_copy(update={"learning_rate": 10.0, "method": "full"})
    with pytest.raises(CallwrightError, match=r"at step \d+.* lower train.learning_rate \(now 10\)"):
        train(tiny_base, EXAMPLES, params, TASKS, NO_VIEWS, seed=7, **folders)
    assert not folders["student"].exists()
