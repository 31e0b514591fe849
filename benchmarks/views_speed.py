"""The speed of preference training in views: batches of one prompt, and a new view for every batch.

Trains on the pairs of a finished run (data/pairs, models/base) with TRL's DPOTrainer, in turns:

- plain TRL, batches that mix the tasks;
- shared prefixes, the same batches;
- shared prefixes, batches of one task, one view a run;
- shared prefixes, batches of one task, a new view for every batch, as in the pipeline.

The batches of one task are in the order of the run's params (`train.order`).

Also checks that shared prefixes give the log-probs, losses and gradients of plain TRL on the same batches.

    python benchmarks/views_speed.py [RUN] [--steps N] [--repeats N]    # about six minutes on two cores

Plain TRL is its trainer as it is: policy and reference compute both whole sequences of each pair, padded to the longest
of the batch, and the output layer at the positions of the loss. Its gradient checkpointing, which is on by default, is
off on all sides: it would make plain TRL slower. A repeat measures all sides in turn and gives a ratio. Its figures are
appended to the CSV file (`measurements.py` has its columns, `n` is the repeat); a finished one is not repeated, and
more `--repeats` add to them. Prints the ratios last. Pairs per second come from the median step, without the first
three. On a machine with other load, the figures by processor time are more reliable.
"""

import argparse
import statistics
import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from dpo import WARM_UP, Rows, build_trainer
from measurements import Figure, Key, append_figures, committed, processor, read_figures, run_name

from callwright import paths
from callwright.chat.template import guard_special_tokens_only
from callwright.params import Params, ViewsParams
from callwright.preferences.dialogue import check_rows
from callwright.records import Pair
from callwright.storage.jsonl import read
from callwright.tasks import Tasks, load_tasks
from callwright.training.batch_plan import BatchOptions, plan_batches
from callwright.training.rows import training_rows

PLAIN_TRL = "plain TRL, mixed batches"
RATES = ("pairs/s", "pairs/core-s")
TARGET = 6.0  # times plain TRL's pairs per second, with a new view for every batch
MAX_LOG_PROB_GAP, MAX_LOSS_GAP, MAX_GRADIENT_GAP = 1e-4, 1e-4, 1e-5  # the gradients' relative to their norm
TRAINED = ("prompt_ids", "chosen_ids", "rejected_ids")  # the columns that TRL's own collator reads


@dataclass(frozen=True, slots=True)
class Batches:
    """Rows of tokens in the order of the training, and the number of rows of each batch."""

    rows: Rows
    sizes: list[int]

    def first(self, count: int) -> "Batches":
        """The first batches; the training begins anew if there are fewer."""
        rounds = -(-count // len(self.sizes))
        sizes = (self.sizes * rounds)[:count]
        return Batches((self.rows * rounds)[: sum(sizes)], sizes)


def mixed_batches(pairs: list[Pair], tokenizer: Any, size: int, seed: int) -> Batches:
    """Pairs of all tasks in random order, under true names."""
    _, rows = check_rows(Random(seed).sample(pairs, len(pairs)), tokenizer, 10**6)
    return Batches([_trained(row) for row in rows], [size] * (len(rows) // size))


def planned_batches(
    pairs: list[Pair], tasks: Tasks, views: ViewsParams, tokenizer: Any, options: BatchOptions, seed: int
) -> Batches:
    """The pipeline's batches of one epoch."""
    plan = plan_batches(pairs, tasks, views, options, epochs=1, seed=seed, label="pairs")
    planned = training_rows(plan, pairs, tasks, tokenizer, max_length=10**6, process=0, processes=1)
    return Batches([_trained(row) for row in planned.dataset], [len(batch) for batch in planned.sampler])


def computed_tokens(batches: Batches) -> tuple[float, float]:
    """Tokens that are computed for a pair by plain TRL, with padding, and if prefixes are shared; means."""
    from trl.data_utils import common_prefix_length

    tokens = computed = start = 0
    for size in batches.sizes:
        rows = batches.rows[start : start + size]
        sequences = [row["prompt_ids"] + row[side] for row in rows for side in ("chosen_ids", "rejected_ids")]
        tokens += len(sequences) * max(map(len, sequences))
        neighbours = pairwise([[], *sorted(sequences)])  # sorted, each shares its longest prefix with a neighbour
        computed += sum(len(sequence) - common_prefix_length(before, sequence) for before, sequence in neighbours)
        start += size
    return tokens / start, computed / start


def _trained(row: Any) -> dict[str, list[int]]:
    return {name: list(row[name]) for name in TRAINED}


def measure(batches: Batches, base: Path, *, shared: bool) -> tuple[float, float]:
    """Pairs per second of a training on the batches, by the wall clock and by processor time of a core."""
    from transformers import TrainerCallback

    from callwright.training.prefix_sharing import share_prefixes

    times: list[tuple[float, float]] = []

    class Watch(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.start = time.perf_counter(), time.process_time()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            times.append((time.perf_counter() - self.start[0], time.process_time() - self.start[1]))

    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(batches.rows, batches.sizes, folder, [Watch()], load_model(base))
        with share_prefixes(trainer.model) if shared else nullcontext():
            trainer.train()
    timed = list(zip(batches.sizes, times, strict=True))[WARM_UP:]
    wall, core = (statistics.median(size / seconds[clock] for size, seconds in timed) for clock in (0, 1))
    return wall, core


def largest_gaps(batches: Batches, base: Path, count: int) -> dict[str, float]:
    """The largest differences between shared prefixes and plain TRL on the first `count` batches."""
    import torch

    from callwright.training.prefix_sharing import share_prefixes

    gaps = {"log_probs": 0.0, "loss": 0.0, "gradients": 0.0}
    few = batches.first(count)
    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(few.rows, few.sizes, folder, [], load_model(base))
        model = trainer.model

        def scored(batch: dict[str, Any]) -> tuple[torch.Tensor, float, torch.Tensor]:
            labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, -100)
            inputs = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"], "labels": labels}
            with torch.no_grad():
                log_probs = model(**inputs, fused_lm_head=True, use_cache=False).log_probs
            model.zero_grad()
            loss = trainer.compute_loss(model, batch)
            loss.backward()
            gradients = [weight.grad.flatten() for weight in model.parameters() if weight.grad is not None]
            return log_probs, float(loss.detach()), torch.cat(gradients).clone()

        for batch in trainer.get_train_dataloader():
            log_probs, loss, gradients = scored(batch)
            with share_prefixes(model) as supported:
                assert supported
                shared_log_probs, shared_loss, shared_gradients = scored(batch)
            distance = float((shared_gradients - gradients).norm() / gradients.norm())
            gaps["log_probs"] = max(gaps["log_probs"], float((shared_log_probs - log_probs).abs().max()))
            gaps["loss"] = max(gaps["loss"], abs(shared_loss - loss))
            gaps["gradients"] = max(gaps["gradients"], distance)
    return gaps


def load_model(base: Path) -> Any:
    """The base in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(7)
    return AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="sdpa")


def print_rates(figures: list[Figure], arms: list[str]) -> None:
    """Pairs per second of each arm, and the ratios to plain TRL of the same repeat: medians, lowest and highest."""
    by_arm = {
        (kind, arm): [figure.value for figure in figures if (figure.kind, figure.name) == (kind, arm)]
        for kind in RATES
        for arm in arms
    }
    for (kind, arm), rates in by_arm.items():
        print(f"{kind}, {arm}: {statistics.median(rates):.2f} ({min(rates):.2f} to {max(rates):.2f})")
    for (kind, arm), rates in by_arm.items():
        if arm != PLAIN_TRL:
            ratios = [rate / plain for rate, plain in zip(rates, by_arm[kind, PLAIN_TRL], strict=True)]
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}; {len(ratios)} repeats"
            print(f"ratio of {kind}, {arm} / {PLAIN_TRL}: {statistics.median(ratios):.2f} ({spread})")


def main() -> None:
    import torch
    from transformers import AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    from callwright.pipeline.logs import quiet_libraries

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", type=Path, default=Path(), help="folder of a finished run")
    parser.add_argument("--size", type=int, default=8, help="pairs of a batch")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--checked", type=int, default=4, help="batches whose losses and gradients are compared")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--csv", type=Path, default=Path(".callwright/views_speed.csv"))
    parser.add_argument("--uncommitted", action="store_true", help="allow uncommitted changes; for trying things out")
    options = parser.parse_args()
    if options.steps <= WARM_UP:
        parser.error(f"--steps must be above {WARM_UP}: so many are not timed")
    inputs = run_name(options.run.resolve(), (paths.BASE, paths.PAIRS_TRAIN))
    inputs += f"-size-{options.size}-steps-{options.steps}"
    commit, cpu = committed(options.uncommitted), processor()
    key = Key(commit, inputs, cpu, str(options.threads), "views_speed", str(options.seed))
    quiet_libraries()
    disable_progress_bar()
    torch.set_num_threads(options.threads)
    params = Params.load(options.run / "params.yaml")
    tasks, base = load_tasks(params.functions), options.run / paths.BASE
    pairs = list(read(Pair, options.run / paths.PAIRS_TRAIN))
    tokenizer = guard_special_tokens_only(AutoTokenizer.from_pretrained(base))

    def planned(train: Any) -> Batches:
        views = params.views.model_copy(update={"train": train})
        batch_options = BatchOptions(options.size, by_problem=params.train.order == "by_problem")
        return planned_batches(pairs, tasks, views, tokenizer, batch_options, options.seed).first(options.steps)

    mixed = mixed_batches(pairs, tokenizer, options.size, options.seed).first(options.steps)
    new_views = planned("batch")
    arms = {
        PLAIN_TRL: (mixed, False),
        "shared prefixes, mixed batches": (mixed, True),
        "shared prefixes, batches of a task, one view a run": (planned(1), True),
        "shared prefixes, batches of a task, a view a batch": (new_views, True),
    }
    print(f"{cpu}; {options.threads} threads; {len(pairs):,} pairs; {options.size} a batch; float32")
    for name, (batches, shared) in arms.items():
        tokens, computed = computed_tokens(batches)
        print(f"{name}: {computed if shared else tokens:,.0f} tokens computed a pair")
    for name, batches in (("mixed batches", mixed), ("a view a batch", new_views)):
        gaps = largest_gaps(batches, base, options.checked)
        print(
            f"{name}: differs from plain TRL by at most {', '.join(f'{what} {gap:.1e}' for what, gap in gaps.items())}"
        )
        if gaps["log_probs"] > MAX_LOG_PROB_GAP or gaps["loss"] > MAX_LOSS_GAP or gaps["gradients"] > MAX_GRADIENT_GAP:
            raise SystemExit(f"{name}: shared prefixes differ too much from plain TRL")
    finished = {figure.n for figure in read_figures(options.csv).get(key, [])}
    for repeat in range(options.repeats):
        if repeat not in finished:
            figures = []
            for name, (batches, shared) in arms.items():
                rates = zip(RATES, measure(batches, base, shared=shared), strict=True)
                figures += [Figure(kind, "", name, round(rate, 3), repeat) for kind, rate in rates]
            append_figures(options.csv, key, figures)
    print_rates(read_figures(options.csv)[key], list(arms))
    print(f"target with a view a batch: {TARGET:g}")


if __name__ == "__main__":
    main()
