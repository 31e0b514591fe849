"""The shared vocabulary: frozen records, one per word of the glossary. Imports nothing of Callwright."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

Json = Any  # a JSON value; pydantic would copy a precise recursive type on every validation
Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
Protocol = Literal["text", "native"]
SYNTHETIC = "synthetic"  # the source of the problems that Callwright makes itself
Outcome = Literal["answered", "step_limit", "stuck"]  # stuck: the same failed step, repeated

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
    """One function with its arguments. The keys of positional arguments are their indices: "0", "1", ..."""

    name: str
    arguments: dict[str, Json]


@dataclass(frozen=True, slots=True)
class StepError:
    """Why a step has no observation: a step fault, and the line that the model was shown."""

    fault: str
    message: str


@dataclass(frozen=True, slots=True)
class Step:
    """One model reply and its result.

    `thought` is the text before the call; if no call could be parsed, it is the whole reply. Either `observation` or
    `error` is set. The observation of an `answer` call is the answer as it was understood.
    """

    thought: str
    call: Call | None
    error: StepError | None
    observation: str | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one attempt, summed over its requests; `prompt_tokens` includes `cached_tokens`."""

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

    `solution` is a gold chain of calls, the last one `answer`; empty if the source has none. `group` is the template or
    source document: the unit of splitting and of clustered statistics.
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
    """All steps of one attempt at one problem.

    Its calls have the functions' true names. `view` is the key of the view in which the model was shown the functions
    (`callwright.tasks.view`); empty: under their true names.
    """

    id: str
    problem_id: str
    model: str
    protocol: Protocol
    steps: tuple[Step, ...]
    outcome: Outcome
    answer: str | None
    usage: Usage = Usage()
    view: str = ""


@dataclass(frozen=True, slots=True)
class StepFault:
    """A fault at one step (0-based), with a sentence for people."""

    fault: str
    step: int
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of checking a chain. `first_fault` is the index of the first faulty step, None if there is none."""

    chain_id: str
    correct: bool
    faults: tuple[StepFault, ...]
    first_fault: int | None


@dataclass(frozen=True, slots=True)
class CheckedChain:
    """A chain with its verdict: a record of `validate`."""

    chain: Chain
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Pair:
    """A training example: after the messages of `prompt`, `chosen` is the better message and `rejected` the worse.

    For a pair of whole chains, `chosen` and `rejected` have all messages of the chains, including the results.
    Messages are chat-completions messages; `tools` are JSON schemas (native protocol) or empty. `margin` is the gap
    between the values of the two siblings; `kind` is what is wrong with `rejected`: a fault, `wrong_call`,
    `needless_call` (the answer was already known) or `detour`.

    The messages show the functions under their true names. The last six fields are what they were rendered from, so
    that training can render them in another view; `history` are the steps before the fork.
    """

    id: str
    problem_id: str
    prompt: tuple[dict[str, Json], ...]
    chosen: tuple[dict[str, Json], ...]
    rejected: tuple[dict[str, Json], ...]
    tools: tuple[dict[str, Json], ...]
    margin: float
    kind: str
    task: str
    question: str
    protocol: Protocol
    history: tuple[Step, ...]
    chosen_steps: tuple[Step, ...]
    rejected_steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Demonstration:
    """An example for the warm-up: after the messages of `prompt`, `completion` is a message of a correct chain.

    The last five fields are what the messages were rendered from (see `Pair`).
    """

    id: str
    problem_id: str
    prompt: tuple[dict[str, Json], ...]
    completion: tuple[dict[str, Json], ...]
    tools: tuple[dict[str, Json], ...]
    task: str
    question: str
    protocol: Protocol
    history: tuple[Step, ...]
    steps: tuple[Step, ...]
