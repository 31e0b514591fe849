"""Estimates for a real run: tokens, cost, GPU hours and memory, computed from counts and a few assumptions.

    python benchmarks/estimate.py

The prompts are this project's, at 4 characters per token; sizes of models and GPUs are their makers' figures. Every
number under "assumed" is a guess that you can replace with your own. Nothing here was measured on a GPU.

    a chain's prompt tokens   = sum over its steps s of (system + question + (s - 1) x (reply + result))
    cost                      = tokens / 1,000,000 x price
    sampling seconds          = prompt tokens x 2 x parameters / (FLOP/s x utilisation)
                              + completion tokens / decode rate
    decode rate               = rows at once x bandwidth x decode utilisation / bytes of the weights
    training FLOP             = 8 x parameters x tokens: forward 2, backward through a frozen base 2, recomputation for
                                checkpointed gradients 2, the reference's forward 2; 6 in the warm-up
    memory                    = weights at 2 bytes + adapter at 16 + activations kept + logits at 4 x 3 bytes
"""

from dataclasses import dataclass

from callwright.agent.text import TEXT
from callwright.tasks import TASKS

CHARACTERS_PER_TOKEN = 4
ASSUMED = {
    "steps": 4,  # of a chain, the answer included
    "question": 60,  # tokens
    "reply": 60,
    "result": 10,
    "utilisation": 0.3,
    "decode_utilisation": 0.1,  # transformers in Python, not a serving engine
    "rows": 128,  # sampled at once
    "shared": 4.0,  # tokens of a batch by distinct ones (docs/training.md: 7.8 with eight pairs of one prompt)
    "adapter": 0.01,  # of the parameters, at rank 32
    "gpu_hour": 2.0,  # price, in dollars
    "prompt_price": 0.6,  # of a million tokens of a 70B model, in dollars
    "completion_price": 0.8,
}


@dataclass(frozen=True, slots=True)
class Gpu:
    name: str
    flops: float  # bfloat16, dense
    bandwidth: float  # bytes per second


@dataclass(frozen=True, slots=True)
class Student:
    name: str
    parameters: float
    layers: int
    hidden: int
    vocabulary: int


@dataclass(frozen=True, slots=True)
class Run:
    """Counts of one run; `pairs` and `demonstrations` of its training, each seen `epochs` times."""

    student: Student
    gpu: Gpu
    train_problems: int
    chains: int  # per problem, for the teacher and for the student each
    test_problems: int
    pairs: int
    epochs: int
    batch: int  # pairs in a forward pass


RUNS = (
    Run(
        Student("Qwen2.5-0.5B", 0.494e9, 24, 896, 151_936),
        Gpu("24 GB (L4: 121 TFLOP/s, 300 GB/s)", 121e12, 300e9),
        train_problems=1_300,
        chains=4,
        test_problems=200,
        pairs=1_800,
        epochs=2,
        batch=4,
    ),
    Run(
        Student("Mistral-7B", 7.25e9, 32, 4_096, 32_768),
        Gpu("80 GB (A100: 312 TFLOP/s, 2,039 GB/s)", 312e12, 2_039e9),
        train_problems=7_248,
        chains=4,
        test_problems=1_278,
        pairs=10_900,
        epochs=2,
        batch=4,
    ),
)


def main() -> None:
    rows = [estimate(run) for run in RUNS]
    print(f"assumed: {', '.join(f'{name} {value:g}' for name, value in ASSUMED.items())}\n")
    print(f"| | {' | '.join(f'{run.student.name}, {run.gpu.name}' for run in RUNS)} |")
    print(f"|---|{'---|' * len(RUNS)}")
    for name in rows[0]:
        print(f"| {name} | {' | '.join(row[name] for row in rows)} |")


def estimate(run: Run) -> dict[str, str]:
    """The rows of the table for one run, as text."""
    prompt, completion = chain_tokens()
    teacher_chains = run.train_problems * run.chains + run.test_problems
    cost = teacher_chains * (prompt * ASSUMED["prompt_price"] + completion * ASSUMED["completion_price"]) / 1e6
    student_chains = run.train_problems * run.chains + 2 * run.test_problems  # the base and the student are evaluated
    sampling_s = student_chains * sampling_seconds(run, prompt, completion)
    warm_up_s, train_s = warm_up_seconds(run), training_seconds(run)
    hours = (sampling_s + warm_up_s + train_s) / 3600
    return {
        "teacher's chains (rollout and evaluation)": f"{teacher_chains:,}",
        "teacher's tokens, prompt and completion": f"{teacher_chains * prompt / 1e6:.1f} M, "
        f"{teacher_chains * completion / 1e6:.1f} M",
        "teacher's cost": f"${cost:,.0f}",
        "student's chains": f"{student_chains:,}",
        "GPU hours of sampling": f"{sampling_s / 3600:.2f}",
        "GPU hours of the warm-up": f"{warm_up_s / 3600:.2f}",
        "GPU hours of the preferences": f"{train_s / 3600:.2f}",
        "GPU cost": f"${hours * ASSUMED['gpu_hour']:,.2f}",
        "peak memory of training": f"{memory_bytes(run) / 1e9:.0f} GB",
    }


def chain_tokens() -> tuple[float, float]:
    """Prompt tokens of a chain, summed over its requests, and its completion tokens; for `arithmetic`."""
    messages, _ = TEXT.render(TASKS["arithmetic"], "", ())
    system = len(messages[0]["content"]) / CHARACTERS_PER_TOKEN
    steps = int(ASSUMED["steps"])
    grown = ASSUMED["reply"] + ASSUMED["result"]
    prompt = sum(system + ASSUMED["question"] + before * grown for before in range(steps))
    return prompt, steps * ASSUMED["reply"]


def sampling_seconds(run: Run, prompt: float, completion: float) -> float:
    """GPU seconds of one chain of the student, without a cache of prefixes between requests."""
    model, gpu, rows = run.student, run.gpu, ASSUMED["rows"]
    decode_rate = rows * gpu.bandwidth * ASSUMED["decode_utilisation"] / (2 * model.parameters)
    return prompt * 2 * model.parameters / (gpu.flops * ASSUMED["utilisation"]) + completion / decode_rate


def sequence_tokens() -> float:
    """Of one step: its prompt and its reply, at the mean over a chain's steps."""
    prompt, _ = chain_tokens()
    return prompt / ASSUMED["steps"] + ASSUMED["reply"]


def warm_up_seconds(run: Run) -> float:
    """GPU seconds of one epoch over the steps of one correct chain per problem; nothing shared: the worst case."""
    rows = run.train_problems * ASSUMED["steps"]
    return 6 * run.student.parameters * rows * sequence_tokens() / (run.gpu.flops * ASSUMED["utilisation"])


def training_seconds(run: Run) -> float:
    """GPU seconds of the preferences; each pair has two sequences, and shared prefixes of a batch are computed once."""
    tokens = run.pairs * run.epochs * 2 * sequence_tokens() / ASSUMED["shared"]
    return 8 * run.student.parameters * tokens / (run.gpu.flops * ASSUMED["utilisation"])


def memory_bytes(run: Run) -> float:
    """At the peak of one training step, with checkpointed gradients: one hidden state per layer and token is kept."""
    model = run.student
    row = run.batch * 2 * sequence_tokens()  # nothing shared: the worst case
    weights = 2 * model.parameters + 16 * ASSUMED["adapter"] * model.parameters
    return weights + row * model.layers * model.hidden * 2 + row * model.vocabulary * 4 * 3


if __name__ == "__main__":
    main()
