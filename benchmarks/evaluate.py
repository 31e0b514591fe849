"""Evaluation with the batched local chat model, compared with plain `generate` of transformers, one problem at a time.

    python benchmarks/evaluate.py                    # 1,000 problems of ours, 60 of plain; two minutes
    python benchmarks/evaluate.py --plain 1000       # all of them both ways; half an hour or more

Both run the same agent on the same problems with the same model, greedily, with the same limits. The model is
models/student if it exists, else the embedded base. Ours keeps many chains in flight
(`evaluate.batch_size` sequences per forward pass) and computes shared prompts and earlier turns once. Plain is the
simplest program: a loop over the problems, and `model.generate` with the library's own cache for each reply. Plain
answers a random part of the problems, and the time of all is extrapolated; on that part both must give exactly the same
chains. On a machine with other load, processor time is more reliable than wall-clock time.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from callwright import paths
from callwright.agent.loop import solve
from callwright.chat.local.chat import LocalChat
from callwright.chat.local.device import pick_device
from callwright.chat.model import ChatModel, Message, Reply, Sampling, Tool
from callwright.chat.template import template_messages
from callwright.params import Params
from callwright.records import Chain, Problem, Usage
from callwright.standins.embedded.shipped_student import copy_shipped_student
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems

TARGET = 10.0


class PlainChat:
    """One request at a time, each with `generate` on the whole conversation."""

    name = "student"

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        device = pick_device()
        dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
        self._tokenizer: Any = AutoTokenizer.from_pretrained(str(folder))
        self._model: Any = AutoModelForCausalLM.from_pretrained(str(folder), dtype=dtype).to(device).eval()

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        ids = self._tokenizer.apply_chat_template(
            template_messages(messages), add_generation_prompt=True, return_tensors="pt", return_dict=False
        ).to(self._model.device)
        with torch.inference_mode():
            generated_ids = self._model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=sampling.max_tokens,
                do_sample=False,
                pad_token_id=self._tokenizer.pad_token_id,
            )[0, ids.shape[1] :].tolist()
        stopped = generated_ids[-1] == self._tokenizer.eos_token_id
        text = self._tokenizer.decode(generated_ids[:-1] if stopped else generated_ids, skip_special_tokens=True)
        return Reply(text, "stop" if stopped else "length", Usage(ids.shape[1], len(generated_ids)))


def solved(problems: Sequence[Problem], model: ChatModel, sampling: Sampling, in_flight: int) -> list[Chain]:
    """One chain per problem, in the order of the problems."""

    async def run() -> list[Chain]:
        room = asyncio.Semaphore(in_flight)

        async def answer_problem(problem: Problem) -> Chain:
            async with room:
                return await solve(problem, TASKS[problem.task], model, sampling)

        return list(await asyncio.gather(*map(answer_problem, problems)))

    return asyncio.run(run())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=1_000)
    parser.add_argument("--plain", type=int, default=60, help="problems that plain transformers answers")
    parser.add_argument("--model", type=Path, help="a model's folder; by default models/student")
    args = parser.parse_args()
    params = Params.load(Path(__file__).parents[1] / "params.yaml")
    sampling = Sampling(max_tokens=params.rollout.max_tokens, max_steps=params.rollout.max_steps)
    problems = synthetic_problems({"test": args.problems}, 0, params.seed)[: args.problems]
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.model or paths.STUDENT
        if not (folder / "config.json").is_file():
            print("models/student is missing: measuring the embedded base (fast, because it answers wrongly early)")
            folder = Path(temporary) / "base"
            copy_shipped_student(folder)

        batch_size = params.evaluate.batch_size
        began = time.perf_counter()
        model = LocalChat(folder, "student", max_batch=batch_size)
        loading = time.perf_counter() - began
        began, cpu = time.perf_counter(), time.process_time()
        ours = solved(problems, model, sampling, 4 * batch_size)
        ours_s, ours_cpu = time.perf_counter() - began, time.process_time() - cpu
        print(f"loading: {loading:.1f} s; plain's is taken to be the same")
        print(f"ours:  {len(ours):>5,} problems in {ours_s:>6.1f} s: {len(ours) / ours_s:.1f} a second")

        few = sorted(random.Random(0).sample(range(len(problems)), min(args.plain, len(problems))))
        plain_model = PlainChat(folder)
        solved(problems[:1], plain_model, sampling, 1)  # the first call of a process is slower
        began, cpu = time.perf_counter(), time.process_time()
        plain = solved([problems[index] for index in few], plain_model, sampling, 1)
        plain_s, plain_cpu = time.perf_counter() - began, time.process_time() - cpu
        print(f"plain: {len(plain):>5,} problems in {plain_s:>6.1f} s: {len(plain) / plain_s:.1f} a second")
    same = sum(chain.steps == ours[index].steps for chain, index in zip(plain, few, strict=True))
    plain_total_s = plain_s / len(plain) * len(ours)
    if len(plain) < len(ours):
        print(f"plain, extrapolated to {len(ours):,} problems: {plain_total_s:.0f} s")
    cores = plain_cpu / len(plain) * len(ours) / ours_cpu
    print(f"processor time: ours {ours_cpu:.1f} s, plain {plain_cpu:.1f} s, {cores:.1f} times as much a problem")
    print(f"the same chains, step by step: {same} of {len(plain)}")
    with_loading = (plain_total_s + loading) / (ours_s + loading)
    print(
        f"ours is {plain_total_s / ours_s:.1f} times as fast ({with_loading:.1f} with loading; {TARGET:g} is asked for)"
    )


if __name__ == "__main__":
    main()
