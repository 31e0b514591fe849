"""Preference training with TRL's DPOTrainer, after an optional warm-up on demonstrations."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callwright.agent.conversation import ExampleT
from callwright.chat.template import guard_special_tokens_only
from callwright.errors import DataError
from callwright.params import TrainParams, ViewsParams
from callwright.preferences.dialogue import TokenRow, check_rows
from callwright.records import Demonstration, Pair
from callwright.reports.train import BatchCounts, RowCounts, TrainReport
from callwright.storage.files import folder_hash
from callwright.tasks.tasks import Tasks
from callwright.training.batch_plan import Plan, in_view, plan_pairs, plan_warm_up
from callwright.training.callbacks import (
    LogMetrics,
    checkpoint_arguments,
    checkpoint_marker,
    checkpoint_step,
    guard_rail_callback,
    last_checkpoint,
    last_dev_metrics,
    log_prob_warning,
    metrics_reporter,
    preference_advice,
    training_curve,
)

if TYPE_CHECKING:
    from callwright.training.rows import TrainingRows

# Fields of params.train and params.views that do not change the result
FIELDS_NOT_IN_KEY = {"checkpoint_steps"}
VIEW_FIELDS_NOT_IN_KEY = {"rollout"}

_DEV_BATCH_FACTOR = 4  # dev pairs have no gradients, so more of them fit into a batch


@dataclass(slots=True)
class TrainingResult:
    """Training result: `curves` has one row per logged step, with `step` and metrics; `report` is the summary.

    There is no report on other ranks than 0.
    """

    curves: list[dict[str, float]] = field(default_factory=list)
    report: TrainReport | None = None


@dataclass(frozen=True, slots=True)
class Examples:
    """Training data: pairs, dev pairs (empty: no evaluation), and demonstrations for the warm-up."""

    pairs: Sequence[Pair]
    dev_pairs: Sequence[Pair] = ()
    demonstrations: Sequence[Demonstration] = ()


def training_key(
    base: Path, examples: Examples, params: TrainParams, tasks: Tasks, views: ViewsParams, seed: int
) -> str:
    """SHA-256 hex digest of everything that determines a training's result."""
    digest = hashlib.sha256()
    sections = [
        params.model_dump_json(exclude=FIELDS_NOT_IN_KEY),
        views.model_dump_json(exclude=VIEW_FIELDS_NOT_IN_KEY),
    ]
    prompts = _planned_prompts(examples, params, tasks, views, seed)
    for part in (folder_hash(base), json.dumps(asdict(examples), sort_keys=True), *sections, str(seed), *prompts):
        digest.update(f"{part}\0".encode())
    return digest.hexdigest()


def _planned_prompts(
    examples: Examples, params: TrainParams, tasks: Tasks, views: ViewsParams, seed: int
) -> Iterator[str]:
    """Each batch's view of its functions, as the prompt of the batch's first example.

    The examples have true names and true descriptions only. What a view shows instead comes from the tasks.
    """
    processes = params.processes
    warm_up = plan_warm_up(examples.demonstrations, tasks, params, views, seed=seed, processes=processes)
    yield from _batch_prompts(warm_up, examples.demonstrations, tasks)
    pairs = plan_pairs(examples.pairs, tasks, params, views, seed=seed, processes=processes)
    yield from _batch_prompts(pairs, examples.pairs, tasks)


def _batch_prompts(plan: Plan, examples: Sequence[ExampleT], tasks: Tasks) -> Iterator[str]:
    for batch in chain.from_iterable(plan):
        shown = in_view(examples[batch.examples[0]], tasks, batch.view)
        yield json.dumps([shown.prompt, shown.tools], sort_keys=True)


def train(
    base: Path,
    examples: Examples,
    params: TrainParams,
    tasks: Tasks,
    views: ViewsParams,
    *,
    seed: int,
    student: Path,
    adapter: Path,
    work: Path,
    log: LogMetrics | None = None,
) -> TrainingResult:
    """Train the base on demonstrations (with `params.sft`), then on pairs; write the adapter and the merged student.

    Every process of a launch calls this; only rank 0 logs and writes results. A killed training resumes from its last
    checkpoint in `work`/<start of its key>; a finished training removes that folder.

    Each batch has examples of one task, and shows their functions in a view (see `plan_batches`). The dev pairs are
    shown under true names.

    Args:
        tasks: those of the examples.
        student, adapter: folders to write, each atomically.
        work: folder for checkpoints, shared by all processes.
        log: called with (metrics, step) at every logged step, on rank 0.

    Raises:
        DataError: there is no pair, or one cannot be trained on.
        CallwrightError: the loss is NaN or infinite, or explodes; or `params.method` cannot run here.
    """
    import torch
    from transformers import AutoTokenizer

    from callwright.training.prefix_sharing import share_prefixes
    from callwright.training.progress import show_training
    from callwright.training.rows import training_rows
    from callwright.training.sft import warm_up
    from callwright.training.weights import load_base, load_trained, publish_student, save_trained

    pairs, dev_pairs = examples.pairs, examples.dev_pairs
    if not pairs:
        raise DataError("there are no preference pairs to train on: see reports/pairs.json; lower pairs.min_margin")
    torch.manual_seed(seed)
    tokenizer = guard_special_tokens_only(AutoTokenizer.from_pretrained(base))
    if tokenizer.pad_token is None:  # TRL does the same, but not if it gets a collator
        tokenizer.pad_token = tokenizer.eos_token
    key = training_key(base, examples, params, tasks, views, seed)
    work = work / key[:16]
    config = _config(params, seed, work / "pairs", dev_pairs=len(dev_pairs))
    rows = training_rows(
        plan_pairs(pairs, tasks, params, views, seed=seed, processes=config.world_size),
        pairs,
        tasks,
        tokenizer,
        max_length=params.max_length,
        process=config.process_index,
        processes=config.world_size,
    )
    dev_counts, dev_rows = check_rows(_by_prompt(dev_pairs), tokenizer, params.max_length)
    warm_up_batches = None
    if params.sft.epochs:
        demonstrations = examples.demonstrations
        warm, warm_up_batches = warm_up(base, tokenizer, demonstrations, params, tasks, views, seed=seed, work=work)
        model = load_trained(base, warm, params)  # training continues its adapter; a copy of it is the reference
    else:
        model = load_base(base, params)
    trainer = _trainer(model, tokenizer, rows, dev_rows, params, config, log)
    checkpoint = last_checkpoint(work / "pairs")
    with ExitStack() as stack:
        for trainer_model in filter(None, (trainer.model, trainer.ref_model)):
            stack.enter_context(share_prefixes(trainer.accelerator.unwrap_model(trainer_model)))
        stack.enter_context(show_training(trainer, "preferences", "pairs", len(pairs)))
        result = trainer.train(resume_from_checkpoint=checkpoint)
    save_trained(trainer, work / "trained")
    trained = TrainingResult(training_curve(trainer.state.log_history))
    if trainer.is_world_process_zero():
        publish_student(base, work / "trained", params, student=student, adapter=adapter, key=key)
        resumed_at = checkpoint_step(checkpoint) if checkpoint else 0
        trained.report = _report(trainer, result, resumed_at, examples, rows, dev_counts, warm_up_batches)
        shutil.rmtree(work, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    return trained


def _by_prompt(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs ordered by what their prompts share: without training, batches may mix prompts, but slowly."""
    return sorted(pairs, key=lambda pair: (pair.task, pair.protocol, pair.problem_id))


def _trainer(
    model: Any,
    tokenizer: Any,
    rows: "TrainingRows",
    dev_rows: Sequence[TokenRow],
    params: TrainParams,
    config: Any,
    log: LogMetrics | None,
) -> Any:
    from peft import PeftModel
    from transformers import PrinterCallback

    from callwright.training.batches import MaskedPreferenceCollator, PlannedDPOTrainer, token_dataset
    from callwright.training.weights import lora_config

    trainer = PlannedDPOTrainer(
        model=model,
        args=config,
        train_dataset=rows.dataset,
        eval_dataset=token_dataset(dev_rows) if dev_rows else None,
        processing_class=tokenizer,
        data_collator=MaskedPreferenceCollator(tokenizer.pad_token_id),
        peft_config=None if isinstance(model, PeftModel) else lora_config(params),
        callbacks=[
            checkpoint_marker(),
            guard_rail_callback(preference_advice(params)),
            *([metrics_reporter(log)] if log else []),
        ],
    )
    trainer.batch_sampler = rows.sampler
    trainer.remove_callback(PrinterCallback)
    return trainer


def _config(params: TrainParams, seed: int, work: Path, *, dev_pairs: int) -> Any:
    from trl import DPOConfig

    from callwright.training.weights import uses_bf16, uses_gpu

    config = DPOConfig(
        **checkpoint_arguments(work, params.checkpoint_steps),
        beta=params.beta,
        loss_type=params.loss_type,
        loss_weights=params.loss_weights,
        label_smoothing=params.label_smoothing,
        learning_rate=params.learning_rate,
        num_train_epochs=params.epochs,
        per_device_train_batch_size=params.batch_size,
        gradient_accumulation_steps=params.gradient_accumulation,
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
        logging_first_step=True,
        logging_nan_inf_filter=False,  # so that the guard rails see NaN and infinity
        eval_strategy="epoch" if dev_pairs else "no",
        ddp_find_unused_parameters=False,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,  # the collator reads the masks
    )
    config.per_device_eval_batch_size = _dev_batch_size(-(-dev_pairs // config.world_size), params.batch_size)
    return config


def _dev_batch_size(pairs: int, batch_size: int) -> int:
    """How many dev pairs a batch has: batches of nearly equal size, because TRL's metrics are means over batches.

    >>> _dev_batch_size(100, batch_size=8)
    25
    """
    batches = max(-(-pairs // (_DEV_BATCH_FACTOR * batch_size)), 1)
    return max(-(-pairs // batches), 1)


def _report(
    trainer: Any,
    result: Any,
    resumed_at: int,
    examples: Examples,
    rows: "TrainingRows",
    dev_counts: RowCounts,
    warm_up_batches: BatchCounts | None,
) -> TrainReport:
    """The summary. The loss is the mean over the logged steps; the speed is measured since the start or last resume."""
    curves, steps = training_curve(trainer.state.log_history), int(result.global_step)
    logged_steps = [row["step"] for row in curves]
    spans = [step - previous for previous, step in zip([0.0, *logged_steps], logged_steps, strict=False)]
    loss = sum(span * row["loss"] for span, row in zip(spans, curves, strict=True)) / max(sum(spans), 1)
    trained_pairs = len(examples.pairs) * trainer.args.num_train_epochs * (steps - resumed_at) / steps
    return TrainReport(
        pairs=len(examples.pairs),
        dev_pairs=len(examples.dev_pairs),
        steps=steps,
        loss=round(loss, 6),
        last={name: value for name, value in curves[-1].items() if name != "step"} if curves else {},
        warning=log_prob_warning(trainer.state.log_history),
        rows=rows.row_counts + dev_counts,
        batches=rows.batch_counts,
        warm_up_batches=warm_up_batches,
        pairs_per_second=round(trained_pairs / result.metrics["train_runtime"], 3),
        **last_dev_metrics(trainer.state.log_history),
    )
