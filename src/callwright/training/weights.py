"""Load a base for training; save the adapter and the merged student."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from callwright.errors import CallwrightError, DataError
from callwright.params import TrainParams
from callwright.paths import TRAINING_FILE
from callwright.reports.model_files import TrainingFile

_TRAINER_FILES = ("ref", "training_args.bin")  # removed after training: the reference's adapter, and a pickle


def uses_gpu() -> bool:
    """Whether training runs on a GPU: one is available, and accelerate is not set to use the CPU."""
    import torch

    return torch.cuda.is_available() and os.environ.get("ACCELERATE_USE_CPU", "false").lower() not in ("1", "true")


def uses_bf16() -> bool:
    """Whether training computes in bfloat16: only on a GPU that supports it, otherwise in float32."""
    import torch

    return uses_gpu() and torch.cuda.is_bf16_supported()


def load_base(folder: Path, params: TrainParams) -> Any:
    """The model to train, without an adapter: in 4 bits with `qlora`; in float32 if all weights are trained.

    Raises:
        CallwrightError: `qlora` without a GPU or without bitsandbytes.
    """
    import torch
    from transformers import AutoModelForCausalLM

    base_is_frozen = params.method != "full"
    return AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.bfloat16 if base_is_frozen and uses_bf16() else torch.float32,
        quantization_config=_four_bit_config() if params.method == "qlora" else None,
    )


def _four_bit_config() -> Any:
    import torch
    from transformers import BitsAndBytesConfig

    if not uses_gpu():
        raise CallwrightError("train.method: qlora computes in 4 bits only on a CUDA GPU; set lora here")
    if find_spec("bitsandbytes") is None:
        raise CallwrightError("train.method: qlora needs bitsandbytes: pip install bitsandbytes, or set lora")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if uses_bf16() else torch.float16,
    )


def lora_config(params: TrainParams) -> Any:
    """The config of the adapter to train; None if all weights are trained."""
    from peft import LoraConfig

    if params.method == "full":
        return None
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=params.lora.r,
        lora_alpha=params.lora.alpha,
        lora_dropout=params.lora.dropout,
        target_modules=params.lora.target_modules,
    )


def load_trained(base: Path, folder: Path, params: TrainParams) -> Any:
    """Load the model that `save_trained` wrote to a folder, to train it further."""
    from peft import PeftModel

    if params.method == "full":
        return load_base(folder, params)
    return PeftModel.from_pretrained(load_base(base, params), folder, is_trainable=True)


def save_trained(trainer: Any, folder: Path) -> None:
    """Write a trainer's adapter (with `full`: all weights) and the tokenizer, atomically.

    Every process must call this, because sharded weights are gathered; rank 0 writes.

    Raises:
        DataError: the folder cannot be written.
    """
    part = folder.with_name(f".{folder.name}.part")
    try:
        trainer.save_model(str(part))
        if trainer.is_world_process_zero():
            for name in _TRAINER_FILES:
                shutil.rmtree(part / name) if (part / name).is_dir() else (part / name).unlink(missing_ok=True)
            _replace_folder(folder, part)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror or error}") from None
    trainer.accelerator.wait_for_everyone()


def publish_student(base: Path, trained: Path, params: TrainParams, *, student: Path, adapter: Path, key: str) -> None:
    """Write the adapter and the merged student, each atomically, with a note of the training's key.

    The student has the precision of the base's files. With `full` there is no adapter: its folder contains only the
    note.

    Args:
        trained: the folder that `save_trained` wrote.

    Raises:
        DataError: a folder cannot be written.
    """
    is_full = params.method == "full"
    for folder in (adapter, student):
        part = folder.with_name(f".{folder.name}.part")
        try:
            shutil.rmtree(part, ignore_errors=True)
            if folder is adapter and is_full:
                part.mkdir(parents=True)
            elif folder is adapter or is_full:
                shutil.copytree(trained, part)
            else:
                _save_merged(base, trained, part)
            TrainingFile(key=key).save(part / TRAINING_FILE)
            _replace_folder(folder, part)
        except OSError as error:
            raise DataError(f"{folder} cannot be written: {error.strerror or error}") from None
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _save_merged(base: Path, adapter: Path, folder: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(base, dtype="auto")
    PeftModel.from_pretrained(model, adapter).merge_and_unload().save_pretrained(folder)
    AutoTokenizer.from_pretrained(adapter).save_pretrained(folder)


def _replace_folder(folder: Path, part: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
