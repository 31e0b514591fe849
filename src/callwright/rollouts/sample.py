"""Sampling chains: the attempts of a plan, run concurrently, journaled as they finish."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from callwright.agent.call_thread import CALL_THREAD
from callwright.agent.loop import solve
from callwright.agent.protocol import PROTOCOLS
from callwright.chat.model import ChatModel
from callwright.errors import CallwrightError, EndpointUnusableError, ProviderError
from callwright.records import Chain
from callwright.rollouts.budget import BudgetError, Meter, MeteredChat
from callwright.rollouts.journal import GroupCommit, JournalEntry
from callwright.rollouts.plan import Attempt
from callwright.storage.journal import Journal
from callwright.surprises import SurpriseLog, surprise_of
from callwright.tasks import TASKS
from callwright.text import escape_controls

# Reasons of providers for which the same attempt fails again.
LASTING_REASONS = ("too long", "content filter", "reasoning only", "reply too large", "unwritable request")


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt without a chain. It is not part of the chain data, and the next run repeats it.

    Attributes:
        reason: a few words, under which failures are counted.
        lasting: the next run will hardly do better: something unexpected happened, or the conversation got too long.
    """

    attempt_id: str
    reason: str
    message: str = ""
    lasting: bool = False


def failure_from_error(attempt_id: str, error: Exception, surprises: SurpriseLog) -> Failure:
    """The Failure of an attempt that ended with an error. An unexpected error is also counted as a surprise.

    Raises:
        CallwrightError: the error itself, where it ends more than this attempt.
    """
    match error:
        case ProviderError() if not isinstance(error, EndpointUnusableError):
            return Failure(
                escape_controls(attempt_id), error.reason, escape_controls(str(error)), error.reason in LASTING_REASONS
            )
        case CallwrightError():
            raise error
    surprise = surprise_of(error)
    surprises.add(surprise, attempt_id)
    return Failure(escape_controls(attempt_id), surprise.reason, str(surprise), lasting=True)


@dataclass(frozen=True, slots=True)
class RolloutResult:
    """How a run of a plan ended; its chains are in the journal.

    Attributes:
        failures: in the plan's order.
        unmade: attempts that were not made, or not finished, as a budget was used up or too much had failed.
        reached: the limit of the budget that ended the run.
    """

    failures: list[Failure] = field(default_factory=list)
    unmade: int = 0
    reached: str | None = None


def missing(attempts: Sequence[Attempt], journal: Journal[JournalEntry]) -> dict[str, Attempt]:
    """The attempts that the journal lacks, by key."""
    return {attempt.key: attempt for attempt in attempts if attempt.journaled_key(journal) is None}


async def run_attempts(
    attempts: Sequence[Attempt],
    model: ChatModel,
    journal: Journal[JournalEntry],
    concurrency: int,
    meter: Meter | None = None,
    max_failures: float = float("inf"),
    finished: Callable[[Attempt, Chain | None], None] = lambda attempt, chain: None,
    surprises: SurpriseLog | None = None,
) -> RolloutResult:
    """Make all attempts that the journal lacks. One that ends with an unexpected exception counts as a failure.

    Args:
        concurrency: attempts in flight.
        meter: counts what is spent, and may end the run.
        max_failures: once more are lost, no further attempt begins.
        finished: called with each attempt that is over, and its chain if it has one, in the thread of calls.
        surprises: counts the unexpected exceptions; by default those of the stage `rollout`.

    Raises:
        EndpointUnusableError: no attempt can succeed; what was finished is in the journal.
        DataError: the journal cannot be written.
    """
    meter = meter or Meter()
    log = surprises or SurpriseLog("rollout")
    commit = GroupCommit(journal)
    left = missing(attempts, journal)
    failures: dict[str, Failure] = {}
    made = 0

    async def make(attempt: Attempt) -> Chain | None:
        nonlocal made
        problem, own = attempt.problem, MeteredChat(model, meter)
        whole = None
        try:
            protocol = PROTOCOLS[attempt.protocol]
            chain = await solve(problem, TASKS[problem.task], own, attempt.sampling, protocol, attempt.id)
            await commit.append(JournalEntry(attempt.key, chain, tuple(own.request_s), tuple(own.request_usage)))
            whole = own
            made += 1
            return chain
        except Exception as error:
            failures[attempt.key] = failure_from_error(attempt.id, error, log)
            return None
        finally:
            await meter.finish(whole)

    async def work() -> None:
        for attempt in queue:  # shared by all workers: each takes the next
            if len(failures) > max_failures or not await meter.admit():
                return
            try:
                chain = await make(attempt)
            except BudgetError:
                return
            await CALL_THREAD.run(finished, attempt, chain)  # it grades the answer, which may need a solver

    queue = iter(left.values())
    failed: CallwrightError | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(left))):
                group.create_task(work())
    except* CallwrightError as errors:
        failed = _first_error(errors)  # raised here, it would arrive in a group of its own in Python before 3.11.4
    if failed is not None:
        raise failed
    lost = [failures[key] for key in left if key in failures]
    return RolloutResult(lost, len(left) - made - len(lost), meter.reached)


def _first_error(errors: BaseExceptionGroup[CallwrightError]) -> CallwrightError:
    """One of a group's errors: the workers fail for the same reason, such as a full disk."""
    first = errors.exceptions[0]
    return _first_error(first) if isinstance(first, BaseExceptionGroup) else first
