"""The warm-up before preference training: TRL's SFTTrainer on the steps of correct chains."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import PrinterCallback
from trl import SFTConfig

from callwright.errors import DataError
from callwright.params import TrainParams, ViewsParams
from callwright.records import Demonstration
from callwright.reports.train import BatchCounts
from callwright.tasks.tasks import Tasks
from callwright.training.batch_plan import plan_warm_up
from callwright.training.batches import PlannedSFTTrainer
from callwright.training.callbacks import (
    checkpoint_arguments,
    checkpoint_marker,
    guard_rail_callback,
    last_checkpoint,
    warm_up_advice,
)
from callwright.training.prefix_sharing import share_prefixes
from callwright.training.progress import show_training
from callwright.training.rows import training_rows
from callwright.training.weights import load_base, lora_config, save_trained, uses_bf16, uses_gpu


def warm_up(
    base: Path,
    tokenizer: Any,
    demonstrations: Sequence[Demonstration],
    params: TrainParams,
    tasks: Tasks,
    views: ViewsParams,
    *,
    seed: int,
    work: Path,
) -> tuple[Path, BatchCounts]:
    """Imitate the demonstrations, in batches that each have a view of their own (see `plan_batches`).

    The loss is on completions only, including the tokens that a chat template adds after them.

    Args:
        work: folder for checkpoints and the result; a finished warm-up in it is not repeated.

    Returns:
        The folder with the trained adapter, or with all weights if `params.method` is full; and counts of the batches.

    Raises:
        DataError: there is no demonstration, or one cannot be trained on.
        CallwrightError: the loss is NaN or infinite, or explodes.
    """
    if not demonstrations:
        raise DataError(
            "there is no correct chain to warm up on: set train.sft.epochs to 0, or look at reports/quality.json"
        )
    result_folder, checkpoint_folder = work / "warmed_up", work / "warm_up"
    config = SFTConfig(
        **checkpoint_arguments(checkpoint_folder, params.checkpoint_steps),
        learning_rate=params.sft.learning_rate,
        num_train_epochs=params.sft.epochs,
        per_device_train_batch_size=params.sft.batch_size,
        gradient_checkpointing=params.gradient_checkpointing,
        max_length=None,  # the rows are checked before
        max_grad_norm=params.max_grad_norm,
        warmup_steps=params.warmup_ratio,
        lr_scheduler_type=params.schedule,
        bf16=uses_bf16(),
        use_cpu=not uses_gpu(),
        seed=seed,
        data_seed=seed,
        logging_steps=5,
        logging_nan_inf_filter=False,
        ddp_find_unused_parameters=False,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
    )
    plan = plan_warm_up(demonstrations, tasks, params, views, seed=seed, processes=config.world_size)
    rows = training_rows(
        plan,
        demonstrations,
        tasks,
        tokenizer,
        max_length=params.max_length,
        process=config.process_index,
        processes=config.world_size,
    )
    if result_folder.is_dir():
        return result_folder, rows.batch_counts
    trainer = PlannedSFTTrainer(
        model=load_base(base, params),
        args=config,
        train_dataset=rows.dataset,
        processing_class=tokenizer,
        peft_config=lora_config(params),
        callbacks=[checkpoint_marker(), guard_rail_callback(warm_up_advice(params))],
    )
    trainer.batch_sampler = rows.sampler
    trainer.remove_callback(PrinterCallback)
    with (
        share_prefixes(trainer.accelerator.unwrap_model(trainer.model)),
        show_training(trainer, "warm-up", "steps of chains", len(demonstrations)),
    ):
        trainer.train(resume_from_checkpoint=last_checkpoint(checkpoint_folder))
    save_trained(trainer, result_folder)
    return result_folder, rows.batch_counts
