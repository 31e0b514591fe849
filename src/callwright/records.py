"""The shared vocabulary: frozen records, one per word of the glossary. Imports nothing of ours."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

Json = Any  # a JSON value; pydantic would copy a precise recursive type on every validation
Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
Protocol = Literal["text", "native"]
Outcome = Literal["answered", "step_limit", "stuck"]

STEP_FAULTS = ("syntax", "unknown_function", "bad_arguments", "execution_error")
CHAIN_FAULTS = (
    "repeated_call",
    "ungrounded_answer",
    "unfaithful_call",
    "wrong_answer",
    "no_answer",
    "undecided",
    "replay_mismatch",
)
FAULTS = STEP_FAULTS + CHAIN_FAULTS


@dataclass(frozen=True, slots=True)
class Call:
    """One function with its arguments. Positional arguments are keyed by their place: "0", "1", ..."""

    name: str
    arguments: dict[str, Json]


@dataclass(frozen=True, slots=True)
class StepError:
    """Why a step had no observation: a step fault, and the line that the model was shown."""

    fault: str
    message: str


@dataclass(frozen=True, slots=True)
class Step:
    """One model reply and what came of it.

    `thought` is what stood before the call; when no call could be read, the whole reply. Either `observation` or
    `error` is set. The observation of an `answer` call is the answer as it was understood.
    """

    thought: str
    call: Call | None
    error: StepError | None
    observation: str | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one attempt, summed over its requests; the cached ones are among those of the prompts."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """A question with a known answer.

    `solution` is a gold chain of calls, the last one `answer`; empty where the source has none. `group` is the
    template or document it came from: the unit of splitting and of clustered statistics.
    """

    id: str
    task: str
    question: str
    answer: str
    solution: tuple[Call, ...]
    source: str
    group: str
    split: Split


@dataclass(frozen=True, slots=True)
class Chain:
    """All steps of one attempt at one problem."""

    id: str
    problem_id: str
    model: str
    protocol: Protocol
    steps: tuple[Step, ...]
    outcome: Outcome
    answer: str | None
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class StepFault:
    """A named fault at one step (0-based), with a sentence a person understands."""

    fault: str
    step: int
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking a chain found. `first_fault` is the index of the first faulty step, None when there is none."""

    chain_id: str
    correct: bool
    faults: tuple[StepFault, ...]
    first_fault: int | None


@dataclass(frozen=True, slots=True)
class CheckedChain:
    """A chain with its verdict: what `validate` publishes."""

    chain: Chain
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Pair:
    """A training example: after the messages of `prompt`, `chosen` is the better message and `rejected` the worse.

    A pair of whole chains has all their messages on its sides, the results between the replies included.
    Messages are chat-completions messages; `tools` are JSON schemas (native protocol) or empty. `margin` is the gap
    between the values of the two siblings; `kind` names what is wrong with `rejected`: a fault, `wrong_call`,
    `needless_call` (the answer was there) or `detour`.
    """

    id: str
    problem_id: str
    prompt: tuple[dict[str, Json], ...]
    chosen: tuple[dict[str, Json], ...]
    rejected: tuple[dict[str, Json], ...]
    tools: tuple[dict[str, Json], ...]
    margin: float
    kind: str


@dataclass(frozen=True, slots=True)
class Demonstration:
    """An example of the warm-up: after the messages of `prompt`, `completion` is a message of a correct chain."""

    id: str
    problem_id: str
    prompt: tuple[dict[str, Json], ...]
    completion: tuple[dict[str, Json], ...]
    tools: tuple[dict[str, Json], ...]
