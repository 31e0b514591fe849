"""Sampling chains: the attempts of a plan, run concurrently, journaled as they finish."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from callwright.agent.loop import solve
from callwright.agent.protocol import PROTOCOLS
from callwright.chat.model import ChatModel
from callwright.errors import CallwrightError, EndpointUnusable, ProviderError
from callwright.records import Chain
from callwright.rollouts.budget import BudgetError, Meter, MeteredChat
from callwright.rollouts.journal import GroupCommit, Journaled
from callwright.rollouts.plan import Attempt
from callwright.storage import Journal
from callwright.tasks import TASKS


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that the provider lost; outside the chain data, and tried again by the next run."""

    attempt_id: str
    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Rolled:
    """How a run of a plan ended; its chains are in the journal.

    Attributes:
        failures: in the plan's order.
        unmade: attempts that were not made, or not finished, as a budget was used up or too much had failed.
        reached: the limit of the budget that ended the run.
    """

    failures: list[Failure] = field(default_factory=list)
    unmade: int = 0
    reached: str | None = None


def missing(attempts: Sequence[Attempt], journal: Journal[Journaled]) -> dict[str, Attempt]:
    """The attempts that the journal lacks, by key."""
    return {attempt.key: attempt for attempt in attempts if attempt.key not in journal}


async def run_attempts(
    attempts: Sequence[Attempt],
    model: ChatModel,
    journal: Journal[Journaled],
    concurrency: int,
    meter: Meter | None = None,
    max_failures: float = float("inf"),
    finished: Callable[[Attempt, Chain | None], None] = lambda attempt, chain: None,
) -> Rolled:
    """Make all attempts that the journal lacks.

    Args:
        concurrency: attempts in flight.
        meter: counts what is spent, and may end the run.
        max_failures: once more are lost, no further attempt begins.
        finished: called with each attempt that is over, and its chain if it has one.

    Raises:
        EndpointUnusable: no attempt can succeed; what was finished is in the journal.
        DataError: the journal cannot be written.
    """
    meter = meter or Meter()
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
            await commit.append(Journaled(attempt.key, chain, tuple(own.request_s), tuple(own.request_usage)))
            whole = own
            made += 1
            return chain
        except EndpointUnusable:
            raise
        except ProviderError as error:
            failures[attempt.key] = Failure(attempt.id, error.reason, str(error))
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
            finished(attempt, chain)

    queue = iter(left.values())
    failed: CallwrightError | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(left))):
                group.create_task(work())
    except* CallwrightError as errors:
        failed = _first(errors)  # raised here, it would arrive in a group of its own in Python before 3.11.4
    if failed is not None:
        raise failed
    lost = [failures[key] for key in left if key in failures]
    return Rolled(lost, len(left) - made - len(lost), meter.reached)


def _first(errors: BaseExceptionGroup[CallwrightError]) -> CallwrightError:
    """One of a group's errors: the workers fail for the same reason, such as a full disk."""
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
