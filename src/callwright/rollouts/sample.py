"""Sampling chains: a deterministic plan of attempts, run concurrently, journaled as they finish."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from callwright.agent.loop import solve
from callwright.agent.protocol import PROTOCOLS
from callwright.chat.model import ChatModel, Sampling
from callwright.errors import CallwrightError, ProviderError
from callwright.records import Chain, Problem, Protocol
from callwright.storage import Journal
from callwright.tasks import TASKS


@dataclass(frozen=True, slots=True)
class Attempt:
    """One chain to sample. `key` is the hash of all that determines it: the same key is never paid for twice."""

    id: str
    problem: Problem
    sampling: Sampling
    protocol: Protocol
    key: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that the provider lost; outside the chain data."""

    attempt_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Journaled:
    """A finished attempt as the journal keeps it."""

    key: str
    chain: Chain


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
    attempts = []
    for problem in problems:
        for number in range(chains):
            own = Sampling(**{**asdict(sampling), "seed": sampling.seed * 1_000 + number})
            key = _key(problem, model, own, protocol)
            attempts.append(Attempt(f"{problem.id}/{model['name']}/{number}", problem, own, protocol, key))
    return attempts


def _key(problem: Problem, model: Mapping[str, object], sampling: Sampling, protocol: Protocol) -> str:
    task = TASKS[problem.task]
    messages, tools = PROTOCOLS[protocol].render(task, problem.question, ())
    determines = [problem.id, messages, tools, protocol, dict(model), asdict(sampling)]
    return hashlib.sha256(json.dumps(determines, sort_keys=True).encode()).hexdigest()


async def run_attempts(
    attempts: Sequence[Attempt],
    model: ChatModel,
    journal: Journal,
    concurrency: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Chain], list[Failure]]:
    """Chains of all attempts, in the plan's order; what the journal has is not asked again.

    Args:
        journal: of `Journaled`, keyed by `key`.
        concurrency: attempts in flight.
        progress: called with (done, total) as attempts finish.

    Returns:
        The chains, and a failure for each attempt that the provider lost.
    """
    failures: dict[str, Failure] = {}
    missing = iter([attempt for attempt in attempts if attempt.key not in journal.done])
    done = sum(attempt.key in journal.done for attempt in attempts)

    async def work() -> None:
        nonlocal done
        for attempt in missing:  # shared by all workers: each takes the next
            problem = attempt.problem
            try:
                protocol = PROTOCOLS[attempt.protocol]
                chain = await solve(problem, TASKS[problem.task], model, attempt.sampling, protocol, attempt.id)
                journal.append(Journaled(attempt.key, chain))
            except ProviderError as error:
                failures[attempt.key] = Failure(attempt.id, str(error))
            done += 1
            progress(done, len(attempts))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work())
    except* CallwrightError as errors:
        raise _first(errors) from None
    chains = [journal.done[attempt.key].chain for attempt in attempts if attempt.key in journal.done]
    return chains, [failures[attempt.key] for attempt in attempts if attempt.key in failures]


def _first(errors: BaseExceptionGroup[CallwrightError]) -> CallwrightError:
    """One of a group's errors: the workers fail for the same reason, such as a full disk."""
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def open_journal(path: Path) -> Journal:
    """The journal of one model's attempts."""
    return Journal(path, Journaled, key=_journal_key)


def _journal_key(record: Journaled) -> str:
    return record.key
