"""Preference training: typed params -> DPOConfig and LoraConfig -> TRL's DPOTrainer. The only importer of TRL."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from callwright.errors import DataError
from callwright.params import TrainParams
from callwright.preferences.dialogue import RowReport, check_rows, rows_of
from callwright.records import Demonstration, Pair
from callwright.storage import folder_hash, write_json
from callwright.training.tracking import TRAINING

CURVE_NAMES = {
    "loss": "loss",
    "rewards/margins": "margin",
    "rewards/accuracies": "preferred",
    "logps/chosen": "chosen_log_probs",
    "logps/rejected": "rejected_log_probs",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
}


@dataclass(slots=True)
class Trained:
    """What a training came to: a row per logged step, and its summary."""

    curves: list[dict[str, float]] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Examples:
    """What is trained on: pairs, pairs to watch (none: nothing is watched), and demonstrations for the warm-up."""

    pairs: Sequence[Pair]
    dev_pairs: Sequence[Pair] = ()
    demonstrations: Sequence[Demonstration] = ()


def training_key(base: Path, examples: Examples, params: TrainParams, seed: int) -> str:
    """The hash of all that determines a training's result."""
    content = json.dumps(asdict(examples), sort_keys=True)
    parts = [folder_hash(base), content, params.model_dump_json(), str(seed)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def train(
    base: Path,
    examples: Examples,
    params: TrainParams,
    *,
    seed: int,
    student: Path,
    adapter: Path,
    work: Path,
    log: Any = None,
) -> Trained:
    """Train the base on demonstrations (with `params.sft`), then on pairs; write the adapter and the merged student.

    Rank 0 alone writes.

    Args:
        student, adapter: folders to write, whole or not at all.
        work: folder for what the trainer leaves behind.
        log: called with (metrics, step) at every logged step on rank 0.

    Raises:
        DataError: there is no pair, or one cannot be trained on.
    """
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
    from trl import DPOTrainer

    from callwright.training.prefix_sharing import share_prefixes
    from callwright.training.warm_up import warm_up

    pairs, dev_pairs = examples.pairs, examples.dev_pairs
    if not pairs:
        raise DataError("there are no preference pairs to train on: see reports/pairs.json; lower pairs.min_margin")
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(base)
    rows = check_rows([*pairs, *dev_pairs], tokenizer, params.max_length)
    on_gpu = torch.cuda.is_available()
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16 if on_gpu else torch.float32)
    lora = LoraConfig(
        task_type="CAUSAL_LM",
        r=params.lora.r,
        lora_alpha=params.lora.alpha,
        lora_dropout=params.lora.dropout,
        target_modules=params.lora.target_modules,
    )
    if params.sft.epochs:
        model = warm_up(model, tokenizer, examples.demonstrations, params, lora, seed=seed, work=work)
    trained = Trained()
    trainer = DPOTrainer(
        model=model,
        args=_config(params, seed, work, on_gpu=on_gpu, evaluate=bool(dev_pairs)),
        train_dataset=Dataset.from_list(rows_of(pairs), on_mixed_types="use_json"),
        eval_dataset=Dataset.from_list(rows_of(dev_pairs), on_mixed_types="use_json") if dev_pairs else None,
        processing_class=tokenizer,
        peft_config=None if params.sft.epochs else lora,  # the warm-up's adapter goes on; a copy of it is the reference
        callbacks=[_recorder(trained, log)],
    )
    trainer.remove_callback(PrinterCallback)
    with share_prefixes(trainer.model):
        result = trainer.train()
    if trainer.is_world_process_zero():
        key = training_key(base, examples, params, seed)
        unwrapped = trainer.accelerator.unwrap_model(trainer.model)
        _save(unwrapped, tokenizer, adapter, merge=False, key=key)
        _save(unwrapped, tokenizer, student, merge=True, key=key)
        trained.report = _report(params, rows, len(pairs), len(dev_pairs), result, trained.curves)
    trainer.accelerator.wait_for_everyone()
    return trained


def _config(params: TrainParams, seed: int, work: Path, *, on_gpu: bool, evaluate: bool) -> Any:
    from trl import DPOConfig

    return DPOConfig(
        output_dir=str(work),
        beta=params.beta,
        loss_type=params.loss_type,
        loss_weights=params.loss_weights,
        learning_rate=params.learning_rate,
        num_train_epochs=params.epochs,
        per_device_train_batch_size=params.batch_size,
        per_device_eval_batch_size=params.batch_size,
        gradient_accumulation_steps=params.gradient_accumulation,
        gradient_checkpointing=params.gradient_checkpointing,
        max_length=params.max_length,
        max_grad_norm=params.max_grad_norm,
        warmup_steps=params.warmup_ratio,
        lr_scheduler_type=params.schedule,
        bf16=on_gpu,
        use_cpu=not on_gpu,
        seed=seed,
        data_seed=seed,
        logging_steps=5,
        logging_first_step=True,
        eval_strategy="epoch" if evaluate else "no",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def _recorder(trained: Trained, log: Any) -> Any:
    from transformers import TrainerCallback

    class Recorder(TrainerCallback):
        """Keeps the curves, under our names."""

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            logs = logs or {}
            prefix = "eval_" if any(name.startswith("eval_") for name in logs) else ""
            row = {
                f"{'dev_' if prefix else ''}{ours}": float(logs[prefix + theirs])
                for theirs, ours in CURVE_NAMES.items()
                if prefix + theirs in logs
            }
            if not row or not state.is_world_process_zero:
                return
            if log is not None:
                log(row, state.global_step)
            if not prefix:
                trained.curves.append({"step": state.global_step, **row})
            else:
                trained.report.update(row)

    return Recorder()


def _save(model: Any, tokenizer: Any, folder: Path, *, merge: bool, key: str) -> None:
    """Write a model folder beside its place and move it there; merging consumes the adapter, so it comes last."""
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        if merge:
            model.merge_and_unload().save_pretrained(temporary)
        else:
            model.save_pretrained(temporary, selected_adapters=["default"])  # not the reference's
        tokenizer.save_pretrained(temporary)
        write_json(temporary / TRAINING, {"key": key})
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _report(
    params: TrainParams, rows: RowReport, pairs: int, dev_pairs: int, result: Any, curves: list[dict[str, float]]
) -> dict[str, Any]:
    last = {name: value for name, value in curves[-1].items() if name != "step"} if curves else {}
    return {
        "pairs": pairs,
        "dev_pairs": dev_pairs,
        "steps": int(result.global_step),
        "loss": round(float(result.training_loss), 6),
        "last": last,
        "rows": asdict(rows),
        "pairs_per_second": round(pairs * params.epochs / result.metrics["train_runtime"], 3),
    }
