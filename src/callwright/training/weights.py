"""A base made ready to be trained, and what its training leaves: adapter and merged student."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from callwright.errors import CallwrightError, DataError
from callwright.params import TrainParams
from callwright.paths import TRAINING_FILE
from callwright.storage.files import write_json

_TRAINER_FILES = ("ref", "training_args.bin")  # the reference's adapter, and a pickle


def uses_gpu() -> bool:
    """Whether training runs on a GPU: there is one, and accelerate was not told to stay on the CPU."""
    import torch

    return torch.cuda.is_available() and os.environ.get("ACCELERATE_USE_CPU", "false").lower() not in ("1", "true")


def uses_bf16() -> bool:
    """Whether training computes in bfloat16: on a GPU that can; everything else computes in float32."""
    import torch

    return uses_gpu() and torch.cuda.is_bf16_supported()


def load_base(folder: Path, params: TrainParams) -> Any:
    """The model to train, without adapter: 4-bit for `qlora`; float32 weights where all of them learn.

    Raises:
        CallwrightError: `qlora` without a GPU or without bitsandbytes.
    """
    import torch
    from transformers import AutoModelForCausalLM

    frozen = params.method != "full"
    return AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.bfloat16 if frozen and uses_bf16() else torch.float32,
        quantization_config=_four_bit_config() if params.method == "qlora" else None,
    )


def _four_bit_config() -> Any:
    import torch
    from transformers import BitsAndBytesConfig

    if not uses_gpu():
        raise CallwrightError("train.method: qlora computes in 4 bits on a CUDA GPU alone; set lora here")
    if find_spec("bitsandbytes") is None:
        raise CallwrightError("train.method: qlora needs bitsandbytes: pip install bitsandbytes, or set lora")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if uses_bf16() else torch.float16,
    )


def lora_config(params: TrainParams) -> Any:
    """The adapter to train; None where every weight learns."""
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
    """The model that `save_trained` left in a folder, to be trained further."""
    from peft import PeftModel

    if params.method == "full":
        return load_base(folder, params)
    return PeftModel.from_pretrained(load_base(base, params), folder, is_trainable=True)


def save_trained(trainer: Any, folder: Path) -> None:
    """Write a trainer's adapter, or all weights of `full`, with the tokenizer; whole or not at all.

    All processes call it (sharded weights are gathered); rank 0 writes.

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
    """Make the student, merged in the precision of the base's own files, and the adapter of what a training left.

    With `full` there is no adapter: its folder holds the note of its training alone.

    Raises:
        DataError: a folder cannot be written.
    """
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    for folder in (adapter, student):
        part = folder.with_name(f".{folder.name}.part")
        try:
            shutil.rmtree(part, ignore_errors=True)
            if folder is adapter and params.method == "full":
                part.mkdir(parents=True)
            elif folder is adapter or params.method == "full":
                shutil.copytree(trained, part)
            else:
                model = AutoModelForCausalLM.from_pretrained(base, dtype="auto")
                PeftModel.from_pretrained(model, trained).merge_and_unload().save_pretrained(part)
                AutoTokenizer.from_pretrained(trained).save_pretrained(part)
            write_json(part / TRAINING_FILE, {"key": key})
            _replace_folder(folder, part)
        except OSError as error:
            raise DataError(f"{folder} cannot be written: {error.strerror or error}") from None
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _replace_folder(folder: Path, part: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
