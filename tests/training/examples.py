"""Training data of the tests: pairs that differ in one number, and parameters for a tiny base."""

from dataclasses import replace
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from callwright.agent.conversation import make_demonstration, make_pair
from callwright.params import LoraParams, TrainParams, ViewsParams, WarmUpParams
from callwright.records import Pair
from callwright.tasks import TASKS
from callwright.tasks.parts import TaskDescriptions
from callwright.tasks.tasks import Tasks
from callwright.training.dpo import Examples
from tests.fakes import problem, step

PARAMS = TrainParams(
    accelerate="cpu",
    processes=1,
    method="lora",
    beta=0.3,
    learning_rate=5e-3,
    loss_type=["sigmoid", "sft"],
    loss_weights=[1.0, 1.0],
    label_smoothing=0.0,
    epochs=2,
    batch_size=4,
    gradient_accumulation=1,
    order="shuffled",
    max_length=2048,
    max_grad_norm=1.0,
    warmup_ratio=0.0,
    schedule="constant",
    gradient_checkpointing=False,
    checkpoint_steps=5,
    sft=WarmUpParams(epochs=0, learning_rate=5e-3, batch_size=4),
    lora=LoraParams(r=4, alpha=8, dropout=0.0, target_modules="all-linear"),
)


NO_VIEWS = ViewsParams(
    rename=False, parameters=False, shuffle=False, reword=False, distractors=0, plain=1.0, rollout=1, train=1
)
NEW_NAMES = NO_VIEWS.model_copy(update={"rename": True, "plain": 0.0, "train": "batch"})  # a new view for every batch
REWORDED = NO_VIEWS.model_copy(update={"reword": True, "plain": 0.0, "train": "batch"})


def reworded_tasks(description: str) -> Tasks:
    """The tasks with one other paraphrase of what `add` does."""
    descriptions = TaskDescriptions(training={"add": (description,)})
    return Tasks([replace(TASKS["arithmetic"], parts={"descriptions": descriptions})])


def pair_of(number: int) -> Pair:
    posed = problem(id=f"p{number}", question=f"Tim has {number} pens and buys 3. How many has he?")
    sides = [step(f"add(a={number}, b=3)")], [step("answer(value=3)")]
    pair = make_pair(posed, TASKS["arithmetic"], "text", (), *sides, margin=1.0, kind="ungrounded_answer")
    assert pair is not None
    return pair


PAIRS = [pair_of(number) for number in range(10, 42)]
EXAMPLES = Examples(PAIRS, PAIRS[:4])
DEMONSTRATIONS = [
    make_demonstration(
        pair.id,
        problem(id=pair.problem_id, question=pair.question),
        TASKS["arithmetic"],
        "text",
        (),
        pair.chosen_steps[0],
    )
    for pair in PAIRS
]
PARAMS_WITH_WARM_UP = PARAMS.model_copy(update={"sft": PARAMS.sft.model_copy(update={"epochs": 3})})


def log_prob(folder: Path, pair: Pair, side: tuple) -> float:
    """Natural log of the completion's probability, summed over its tokens."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template(list(pair.prompt), add_generation_prompt=True, return_dict=False)
    ids = tokenizer.apply_chat_template([*pair.prompt, *side], return_dict=False)
    with torch.no_grad():
        log_probs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    return sum(float(log_probs[index - 1, ids[index]]) for index in range(len(prompt), len(ids)))


def margin(folder: Path, pair: Pair) -> float:
    """How much more likely the chosen side is than the rejected one, in nats."""
    return log_prob(folder, pair, pair.chosen) - log_prob(folder, pair, pair.rejected)
