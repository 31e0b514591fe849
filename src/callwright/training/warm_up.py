"""The warm-up before preference training: TRL's SFTTrainer on the steps of correct chains."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer

from callwright.errors import DataError
from callwright.params import TrainParams
from callwright.preferences.dialogue import check_rows, rows_of
from callwright.records import Demonstration
from callwright.training.prefix_sharing import share_prefixes


def warm_up(
    model: Any,
    tokenizer: Any,
    demonstrations: Sequence[Demonstration],
    params: TrainParams,
    lora: Any,
    *,
    seed: int,
    work: Path,
) -> Any:
    """The model with a LoRA adapter that imitates the demonstrations; the loss is on what the model writes alone.

    Raises:
        DataError: there is no demonstration, or one cannot be trained on.
    """
    if not demonstrations:
        raise DataError(
            "there is no correct chain to warm up on: set train.sft.epochs to 0, or look at reports/quality.json"
        )
    check_rows(demonstrations, tokenizer, params.max_length)
    on_gpu = torch.cuda.is_available()
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=str(work),
            learning_rate=params.sft.learning_rate,
            num_train_epochs=params.sft.epochs,
            per_device_train_batch_size=params.sft.batch_size,
            gradient_checkpointing=params.gradient_checkpointing,
            max_length=params.max_length,
            max_grad_norm=params.max_grad_norm,
            warmup_steps=params.warmup_ratio,
            lr_scheduler_type=params.schedule,
            completion_only_loss=True,
            bf16=on_gpu,
            use_cpu=not on_gpu,
            seed=seed,
            data_seed=seed,
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list(rows_of(demonstrations), on_mixed_types="use_json"),
        processing_class=tokenizer,
        peft_config=lora,
    )
    trainer.remove_callback(PrinterCallback)
    with share_prefixes(trainer.model):
        trainer.train()
    return trainer.accelerator.unwrap_model(trainer.model)
