"""The speed of preference training with TRL's DPOTrainer, with and without shared prefixes.

Both sides get the same model, adapter, pairs, order and batches; they run in turns, each in a separate process. On a
CPU: float32, two threads, a model of the embedded student's size, and pairs at the forks of oracle chains with the
pipeline's arithmetic prompt. On a GPU: bfloat16, a model of Qwen2.5-0.5B's shape with random weights and token ids, and
a third side that shares prefixes with attention by segments instead of FlexAttention.

    python benchmarks/dpo.py [--steps N] [--repeats N]    # about three minutes on two cores; prints the ratio last

Pairs per second come from the median step, without the first three steps. FLOPs are 6 per weight of the layers and
computed token (policy and reference forward passes, and the gradient through the frozen weights), without attention and
output layer.
"""

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

WARM_UP = 3  # steps that are not timed
PEAK_FLOPS = {"H100": 989e12, "H200": 989e12, "A100": 312e12}  # bfloat16, dense, from the data sheets
Rows = list[dict[str, list[int]]]


def arithmetic_rows(count: int, seed: int) -> Rows:
    """Token ids of pairs at the first fork of a right and a wrong oracle chain, in random order."""
    from callwright.standins.embedded.lessons import build_lesson
    from callwright.standins.embedded.tokenizer import train_tokenizer
    from callwright.tasks.arithmetic.lessons import LESSONS
    from callwright.tasks.arithmetic.task import ARITHMETIC

    rng, pairs = random.Random(seed), []
    while len(pairs) < count:
        for draw in LESSONS.problem_drawers:
            problem = draw(rng)
            right = build_lesson(problem, ARITHMETIC, None, rng)
            for mistake in ("wrong_function", "skipped_step"):
                wrong = build_lesson(problem, ARITHMETIC, mistake, rng)
                fork = next((i for i, (a, b) in enumerate(zip(right, wrong, strict=False)) if a != b), None)
                if fork and right[fork]["role"] == "assistant":
                    pairs.append((right[:fork], right[fork], wrong[fork]))
    texts = (str(message["content"]) for history, chosen, _ in pairs for message in (*history, chosen))
    tokenizer = train_tokenizer(texts, 1024)
    rng.shuffle(pairs)

    def ids(messages: list[Any], *, for_generation: bool) -> list[int]:
        return tokenizer.apply_chat_template(messages, add_generation_prompt=for_generation, return_dict=False)

    rows = []
    for history, chosen, rejected in pairs[:count]:
        prompt = ids(history, for_generation=True)
        sides = {"chosen_ids": chosen, "rejected_ids": rejected}
        rows.append(
            {"prompt_ids": prompt}
            | {name: ids([*history, reply], for_generation=False)[len(prompt) :] for name, reply in sides.items()}
        )
    return rows


def random_rows(count: int, shape: dict[str, int], vocabulary: int, seed: int) -> Rows:
    """Pairs of random token ids.

    Args:
        shape: numbers of tokens: `shared` by all prompts, `own` of each prompt after those, and of each `completion`.
    """
    rng = random.Random(seed)

    def random_ids(length: int) -> list[int]:
        return [rng.randrange(4, vocabulary) for _ in range(length)]

    shared_ids = random_ids(shape["shared"])
    return [
        {
            "prompt_ids": shared_ids + random_ids(shape["own"]),
            "chosen_ids": random_ids(shape["completion"]),
            "rejected_ids": random_ids(shape["completion"]),
        }
        for _ in range(count)
    ]


def build_model(on_gpu: bool) -> Any:
    """A model with random weights: of the embedded student's shape, or of Qwen2.5-0.5B's in bfloat16."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config

    torch.manual_seed(7)
    if on_gpu:
        config = Qwen2Config(
            vocab_size=151_936,
            hidden_size=896,
            intermediate_size=4864,
            num_hidden_layers=24,
            num_attention_heads=14,
            num_key_value_heads=2,
            max_position_embeddings=32_768,
            tie_word_embeddings=True,
            pad_token_id=0,
        )
        return AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, attn_implementation="sdpa").cuda()
    config = LlamaConfig(
        vocab_size=1024,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        pad_token_id=0,
    )
    return AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")


def build_trainer(rows: Rows, sizes: list[int], folder: str, callbacks: list[Any], model: Any = None) -> Any:
    """TRL's trainer with a LoRA adapter of random weights on all linear layers, like the pipeline's default.

    Args:
        sizes: number of rows of each batch; the rows are in their order.
        model: by default that of `build_model`.
    """
    import torch
    from peft import LoraConfig
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast, PrinterCallback
    from trl import DPOConfig

    from callwright.training.batches import PlannedBatchSampler, PlannedDPOTrainer, token_dataset

    on_gpu = torch.cuda.is_available()
    trainer = PlannedDPOTrainer(
        model=model or build_model(on_gpu),
        args=DPOConfig(
            output_dir=folder,
            beta=0.3,
            loss_type=["sigmoid", "sft"],
            loss_weights=[1.0, 4.0],
            learning_rate=5e-4,
            max_steps=len(sizes),
            gradient_checkpointing=False,
            max_length=None,
            bf16=on_gpu,
            use_cpu=not on_gpu,
            seed=7,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,
        ),
        train_dataset=token_dataset(rows),
        processing_class=PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE({"a": 0}, [])), pad_token="a"),
        peft_config=LoraConfig(
            task_type="CAUSAL_LM", r=32, lora_alpha=64, target_modules="all-linear", init_lora_weights=False
        ),
        callbacks=callbacks,
    )
    trainer.batch_sampler = PlannedBatchSampler([sizes])
    trainer.remove_callback(PrinterCallback)
    return trainer


def measure(side: str, rows: Rows, batch: int, steps: int, gradients: Path | None = None) -> dict[str, Any]:
    """Train some steps on one side: `plain`, `shared`, or `segments` (shared without FlexAttention).

    Args:
        gradients: file for the gradients of the first step.
    """
    import torch
    from transformers import TrainerCallback

    from callwright.training.prefix_sharing import share_prefixes

    times: list[float] = []
    on_gpu = torch.cuda.is_available()

    class Watch(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.start = time.perf_counter()

        def on_pre_optimizer_step(self, _: Any, state: Any, __: Any, model: Any = None, **___: Any) -> None:
            if gradients and state.global_step == 0:
                weights = model.named_parameters()
                grads = {name: weight.grad.float().cpu() for name, weight in weights if weight.grad is not None}
                torch.save(grads, gradients)

        def on_step_end(self, *_: Any, **__: Any) -> None:
            if on_gpu:
                torch.cuda.synchronize()
            times.append(time.perf_counter() - self.start)

    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(rows, [batch] * steps, folder, [Watch()])
        computed: list[int] = []
        embeddings = trainer.model.get_input_embeddings()
        embeddings.register_forward_hook(lambda _, ids, __: computed.append(ids[0].numel()))
        sharing = share_prefixes(trainer.model, flex=on_gpu and side == "shared")
        with nullcontext() if side == "plain" else sharing:
            trainer.train()
        weights = sum(weight.numel() for name, weight in trainer.model.named_parameters() if ".layers." in name)
    step = statistics.median(times[WARM_UP:])
    tokens = sum(computed[2 * WARM_UP :]) / (2 * (steps - WARM_UP))  # policy and reference compute the same tokens
    lengths = [len(row["prompt_ids"]) * 2 + len(row["chosen_ids"]) + len(row["rejected_ids"]) for row in rows]
    peak = next((flops for name, flops in PEAK_FLOPS.items() if on_gpu and name in torch.cuda.get_device_name()), None)
    return {
        "losses": [entry["loss"] for entry in trainer.state.log_history if "loss" in entry],
        "pairs_per_second": batch / step,
        "fastest": batch / min(times[WARM_UP:]),
        "tokens_per_second": statistics.fmean(lengths) * batch / step,
        "computed_tokens_a_step": tokens,
        "mfu": 6 * weights * tokens / step / peak if peak else None,
        "peak_mb": torch.cuda.max_memory_allocated() / 2**20
        if on_gpu
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "device": torch.cuda.get_device_name() if on_gpu else f"CPU, {torch.get_num_threads()} threads",
    }


def measure_in_process(side: str, steps: int, options: argparse.Namespace, gradients: Path | None) -> dict[str, Any]:
    """Run `measure` in a new process."""
    settings = {"side": side, "steps": steps, "batch": options.batch, "threads": options.threads}
    settings |= {"shape": options.shape, "gradients": str(gradients) if gradients else None}
    command = [sys.executable, __file__, "--measurement", json.dumps(settings)]
    completed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if completed.returncode:
        sys.exit(completed.returncode)
    result: dict[str, Any] = json.loads(completed.stdout.splitlines()[-1])
    return result


def run_measurement(settings: dict[str, Any]) -> None:
    """Measure in this process and print the result as JSON."""
    import torch

    from callwright.pipeline.logs import quiet_libraries

    quiet_libraries()
    on_gpu = torch.cuda.is_available()
    torch.set_num_threads(settings["threads"])
    count = settings["batch"] * settings["steps"]
    shape = settings["shape"] or ({"shared": 600, "own": 300, "completion": 60} if on_gpu else None)
    rows = random_rows(count, shape, 1024, seed=7) if shape else arithmetic_rows(count, seed=7)
    gradients = Path(settings["gradients"]) if settings["gradients"] else None
    print(json.dumps(measure(settings["side"], rows, settings["batch"], settings["steps"], gradients)))


def compare(options: argparse.Namespace) -> None:
    import torch

    sides = ["plain", "shared", "segments"] if torch.cuda.is_available() else ["plain", "shared"]
    results: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(options.repeats):
            for side in sides:
                steps = options.short if repeat else options.steps
                gradients = None if repeat else Path(folder, side)
                results[side].append(measure_in_process(side, steps, options, gradients))
        saved = {side: torch.load(Path(folder, side)) for side in sides}
    device = results["plain"][0]["device"]
    computed = ", ".join(f"{side} {runs[0]['computed_tokens_a_step']:,.0f}" for side, runs in results.items())
    print(f"{device}; batch {options.batch}; {options.repeats} repeats; tokens computed a step: {computed}")
    for side, runs in results.items():
        rates = sorted(run["pairs_per_second"] for run in runs)
        mfu = f", MFU {runs[0]['mfu']:.1%}" if runs[0]["mfu"] else ""
        print(
            f"{side}: {statistics.median(rates):.2f} pairs/s ({rates[0]:.2f} to {rates[-1]:.2f}), "
            f"{statistics.median(run['tokens_per_second'] for run in runs):,.0f} tokens/s{mfu}, "
            f"peak memory {max(run['peak_mb'] for run in runs):,.0f} MB"
        )
    for side in sides[1:]:
        plain = results["plain"][0]["losses"]
        loss_gap = max(abs(a - b) for a, b in zip(plain, results[side][0]["losses"], strict=True))
        norm = sum(float(grad.square().sum()) for grad in saved["plain"].values()) ** 0.5
        gap = sum(float((grad - saved[side][name]).square().sum()) for name, grad in saved["plain"].items()) ** 0.5
        print(
            f"{side}: loss differs from plain by at most {loss_gap:.1e} "
            f"over {len(plain)} steps ({plain[0]:.3f} to {plain[-1]:.3f})"
        )
        print(f"{side}: gradients of the first step differ from plain by {gap / norm:.1e}, relative to their norm")
    medians = {side: statistics.median(run["pairs_per_second"] for run in runs) for side, runs in results.items()}
    for side in sides[1:]:
        print(f"ratio {side} / plain: {medians[side] / medians['plain']:.2f}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--batch", type=int, default=8, help="pairs")
    arguments.add_argument("--steps", type=int, default=50, help="steps of the first repeat, whose losses are compared")
    arguments.add_argument("--short", type=int, default=10, help="steps of each other repeat")
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--shape", type=json.loads, help='random ids: {"shared": 600, "own": 300, "completion": 60}')
    arguments.add_argument("--measurement", type=json.loads, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.measurement:
        run_measurement(options.measurement)
    else:
        compare(options)


if __name__ == "__main__":
    main()
