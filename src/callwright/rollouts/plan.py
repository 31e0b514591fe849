"""Which chains to sample: a deterministic list of attempts, each keyed by all that determines it."""

import ast
import hashlib
import inspect
import json
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache

from callwright.agent.protocol import PROTOCOLS
from callwright.chat.endpoint import ORACLE
from callwright.chat.model import Sampling
from callwright.functions.function import Function
from callwright.functions.toolbox import Toolbox
from callwright.params import RolloutParams, SamplingParams, TeacherParams
from callwright.records import Problem, Protocol
from callwright.tasks import TASKS


@dataclass(frozen=True, slots=True)
class Attempt:
    """One chain to sample. `key` is the hash of all that determines it: the same key is never paid for twice."""

    id: str
    problem: Problem
    sampling: Sampling
    protocol: Protocol
    key: str


def plan(
    problems: Iterable[Problem],
    model: Mapping[str, object],
    chains: int,
    sampling: Sampling,
    protocol: Protocol = "text",
) -> list[Attempt]:
    """`chains` attempts at every problem, in a fixed order.

    Args:
        model: what identifies the model and its server; `name` is what chains are labelled with.
        sampling: of every attempt; its seed is the base from which each attempt's own seed is made.
    """
    own = [replace(sampling, seed=sampling.seed * 1_000 + number) for number in range(chains)]
    written = [json.dumps(asdict(one), sort_keys=True).encode() for one in own]
    server = json.dumps(dict(model), sort_keys=True)
    attempts = []
    for problem in problems:
        asked = hashlib.sha256(_asked(problem, protocol, server))
        for number in range(chains):
            key = asked.copy()
            key.update(written[number])
            name = f"{problem.id}/{model['name']}/{number}"
            attempts.append(Attempt(name, problem, own[number], protocol, key.hexdigest()))
    return attempts


def teacher_plan(
    problems: Iterable[Problem], teacher: TeacherParams, own: SamplingParams, rollout: RolloutParams, seed: int
) -> list[Attempt]:
    """The teacher's attempts; the oracle's mistakes are part of what it is.

    Further endpoints of the same model (`teacher.base_urls`) are not: adding one keeps what is paid for.
    """
    model = {"name": teacher.model, "base_url": teacher.base_url}
    if teacher.base_url == ORACLE:
        model["mistakes"] = teacher.mistakes.model_dump_json()
    if teacher.request:
        model["request"] = json.dumps(teacher.request, sort_keys=True)
    return plan(_first(problems, own), model, own.chains, _sampling(own, rollout, seed), rollout.protocol)


def local_plan(
    problems: Iterable[Problem], name: str, weights: str, own: SamplingParams, rollout: RolloutParams, seed: int
) -> list[Attempt]:
    """Attempts of a model in this process; `weights` is the hash of its folder."""
    model = {"name": name, "weights": weights}
    return plan(_first(problems, own), model, own.chains, _sampling(own, rollout, seed), rollout.protocol)


def _first(problems: Iterable[Problem], own: SamplingParams) -> list[Problem]:
    return list(problems)[: own.problems]


def _sampling(own: SamplingParams, rollout: RolloutParams, seed: int) -> Sampling:
    return Sampling(own.temperature, own.top_p, rollout.max_tokens, rollout.max_steps, seed)


def _asked(problem: Problem, protocol: Protocol, server: str) -> bytes:
    """All but the sampling: the problem, the prompt and tools it is asked with, the functions, the model."""
    task = TASKS[problem.task]
    messages, tools = PROTOCOLS[protocol].render(task, problem.question, ())
    return json.dumps([problem.id, messages, tools, protocol, server, functions_hash(task.toolbox)]).encode()


@cache
def functions_hash(toolbox: Toolbox) -> str:
    """The hash of what the functions compute, as far as their own source says it; comments and layout do not count."""
    sources = [_source(function) for function in toolbox.functions.values()]
    return hashlib.sha256("\n".join(sources).encode()).hexdigest()


def _source(function: Function) -> str:
    try:
        return ast.unparse(ast.parse(textwrap.dedent(inspect.getsource(function.python))))
    except (OSError, TypeError, SyntaxError):  # made at run time: its signature and example are in the prompt
        return ""
