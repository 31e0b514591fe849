"""Preference training: TRL's DPOTrainer as it is, beside the same trainer with shared prefixes.

Both sides get the same model, adapter, pairs, order and batch, each in processes of its own, in turns. On a CPU:
float32, two threads, a model of the embedded student's size, pairs at the forks of oracle chains under the pipeline's
own arithmetic prompt. On a GPU: bfloat16, a model of Qwen2.5-0.5B's shape from its configuration, random weights and
ids, and sharing a third time with attention by segments instead of FlexAttention.

    python benchmarks/dpo.py [--steps N] [--repeats N]    # some three minutes on two cores; the ratio comes last

Pairs a second come from the median step, the first three left out. FLOPs count 6 a weight of the layers and token that
is computed (policy and reference forward, and the gradient of what is frozen); attention and the head are left out.
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
PEAK_FLOPS = {"H100": 989e12, "H200": 989e12, "A100": 312e12}  # bfloat16, dense, by the maker
Rows = list[dict[str, list[int]]]


def arithmetic_rows(count: int, seed: int) -> Rows:
    """Pairs at the first fork of a right and a wrong oracle chain, two a problem, as token ids, in random order."""
    from callwright.standins.embedded.lessons import PROBLEM_DRAWERS, conversation
    from callwright.standins.embedded.tokenizer import train_tokenizer

    rng, made = random.Random(seed), []
    while len(made) < count:
        for draw in PROBLEM_DRAWERS["arithmetic"]:
            problem = draw(rng)
            right = conversation(problem, None, rng)
            for mistake in ("wrong_function", "skipped_step"):
                wrong = conversation(problem, mistake, rng)
                fork = next((i for i, (a, b) in enumerate(zip(right, wrong, strict=False)) if a != b), None)
                if fork and right[fork]["role"] == "assistant":
                    made.append((right[:fork], right[fork], wrong[fork]))
    tokenizer = train_tokenizer((str(one["content"]) for pair in made for one in (*pair[0], pair[1])), 1024)
    rng.shuffle(made)

    def ids(messages: list[Any], *, ask: bool) -> list[int]:
        return tokenizer.apply_chat_template(messages, add_generation_prompt=ask, return_dict=False)

    rows = []
    for history, chosen, rejected in made[:count]:
        prompt = ids(history, ask=True)
        sides = {"chosen_ids": chosen, "rejected_ids": rejected}
        rows.append(
            {"prompt_ids": prompt}
            | {name: ids([*history, one], ask=False)[len(prompt) :] for name, one in sides.items()}
        )
    return rows


def random_rows(count: int, shape: dict[str, int], vocabulary: int, seed: int) -> Rows:
    """Pairs of random ids: `shared` tokens that all begin with, `own` tokens of each pair, two completions."""
    rng = random.Random(seed)

    def some(length: int) -> list[int]:
        return [rng.randrange(4, vocabulary) for _ in range(length)]

    prompt = some(shape["shared"])
    return [
        {
            "prompt_ids": prompt + some(shape["own"]),
            "chosen_ids": some(shape["completion"]),
            "rejected_ids": some(shape["completion"]),
        }
        for _ in range(count)
    ]


def built(on_gpu: bool) -> Any:
    """The model, of random weights: the embedded student's shape, or Qwen2.5-0.5B's in bfloat16."""
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


def trainer_of(rows: Rows, batch: int, steps: int, folder: str, callbacks: list[Any]) -> Any:
    """TRL's trainer with a LoRA adapter of random weights on everything linear, as the pipeline's default has it."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast, PrinterCallback
    from trl import DPOConfig, DPOTrainer

    class Given(DPOTrainer):
        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset  # it holds token ids already

    on_gpu = torch.cuda.is_available()
    trainer = Given(
        model=built(on_gpu),
        args=DPOConfig(
            output_dir=folder,
            beta=0.3,
            loss_type=["sigmoid", "sft"],
            loss_weights=[1.0, 4.0],
            learning_rate=5e-4,
            max_steps=steps,
            per_device_train_batch_size=batch,
            gradient_checkpointing=False,
            max_length=None,
            train_sampling_strategy="sequential",
            bf16=on_gpu,
            use_cpu=not on_gpu,
            seed=7,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE({"a": 0}, [])), pad_token="a"),
        peft_config=LoraConfig(
            task_type="CAUSAL_LM", r=32, lora_alpha=64, target_modules="all-linear", init_lora_weights=False
        ),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def measure(side: str, rows: Rows, batch: int, steps: int, gradients: Path | None = None) -> dict[str, Any]:
    """Train for some steps on one side: `plain`, `shared`, or `segments` (shared, and no FlexAttention on a GPU)."""
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
                found = {name: one.grad.float().cpu() for name, one in model.named_parameters() if one.grad is not None}
                torch.save(found, gradients)

        def on_step_end(self, *_: Any, **__: Any) -> None:
            if on_gpu:
                torch.cuda.synchronize()
            times.append(time.perf_counter() - self.start)

    with tempfile.TemporaryDirectory() as folder:
        trainer = trainer_of(rows, batch, steps, folder, [Watch()])
        computed: list[int] = []
        embeddings = trainer.model.get_input_embeddings()
        embeddings.register_forward_hook(lambda _, ids, __: computed.append(ids[0].numel()))
        sharing = share_prefixes(trainer.model, flex=on_gpu and side == "shared")
        with nullcontext() if side == "plain" else sharing:
            trainer.train()
        weights = sum(one.numel() for name, one in trainer.model.named_parameters() if ".layers." in name)
    step = statistics.median(times[WARM_UP:])
    tokens = sum(computed[2 * WARM_UP :]) / (2 * (steps - WARM_UP))  # policy and reference read the same
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


def in_a_process(side: str, steps: int, options: argparse.Namespace, gradients: Path | None) -> dict[str, Any]:
    asked = {"side": side, "steps": steps, "batch": options.batch, "threads": options.threads}
    asked |= {"shape": options.shape, "gradients": str(gradients) if gradients else None}
    command = [sys.executable, __file__, "--one", json.dumps(asked)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def one(asked: dict[str, Any]) -> None:
    """What a process of its own does."""
    import torch

    from callwright.pipeline.logs import quiet_libraries

    quiet_libraries()
    on_gpu = torch.cuda.is_available()
    torch.set_num_threads(asked["threads"])
    count = asked["batch"] * asked["steps"]
    shape = asked["shape"] or ({"shared": 600, "own": 300, "completion": 60} if on_gpu else None)
    rows = random_rows(count, shape, 1024, seed=7) if shape else arithmetic_rows(count, seed=7)
    gradients = Path(asked["gradients"]) if asked["gradients"] else None
    print(json.dumps(measure(asked["side"], rows, asked["batch"], asked["steps"], gradients)))


def compare(options: argparse.Namespace) -> None:
    import torch

    sides = ["plain", "shared", "segments"] if torch.cuda.is_available() else ["plain", "shared"]
    results: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(options.repeats):
            for side in sides:
                first = repeat == 0
                gradients = Path(folder, side) if first else None
                results[side].append(in_a_process(side, options.steps if first else options.short, options, gradients))
        saved = {side: torch.load(Path(folder, side)) for side in sides}
    first = results["plain"][0]
    computed = ", ".join(f"{side} {runs[0]['computed_tokens_a_step']:,.0f}" for side, runs in results.items())
    print(f"{first['device']}; batch {options.batch}; {options.repeats} repeats; tokens computed a step: {computed}")
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
        apart = max(abs(a - b) for a, b in zip(plain, results[side][0]["losses"], strict=True))
        norm = sum(float(grad.square().sum()) for grad in saved["plain"].values()) ** 0.5
        off = sum(float((grad - saved[side][name]).square().sum()) for name, grad in saved["plain"].items()) ** 0.5
        print(
            f"{side}: loss at most {apart:.1e} from plain over {len(plain)} steps ({plain[0]:.3f} to {plain[-1]:.3f})"
        )
        print(f"{side}: gradients of the first step {off / norm:.1e} from plain, relative to their norm")
    middle = {side: statistics.median(run["pairs_per_second"] for run in runs) for side, runs in results.items()}
    for side in sides[1:]:
        print(f"ratio {side} / plain: {middle[side] / middle['plain']:.2f}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--batch", type=int, default=8, help="pairs")
    arguments.add_argument("--steps", type=int, default=50, help="of the first repeat, whose losses are compared")
    arguments.add_argument("--short", type=int, default=10, help="steps of every other repeat")
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--shape", type=json.loads, help='random ids: {"shared": 600, "own": 300, "completion": 60}')
    arguments.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.one:
        one(options.one)
    else:
        compare(options)


if __name__ == "__main__":
    main()
