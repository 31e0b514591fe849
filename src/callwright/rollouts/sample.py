"""Sample chains: run the attempts of a plan concurrently, and journal them as they finish."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
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
from callwright.text import escape_controls

# Reasons for which the same attempt will fail again
LASTING_REASONS = ("too long", "content filter", "reasoning only", "reply too large", "unwritable request")


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt without a chain. It is not part of the chain data, and the next run repeats it.

    Attributes:
        reason: a few words, under which failures are counted.
        lasting: whether another run will most likely fail too, for one of LASTING_REASONS or by a surprise.
    """

    attempt_id: str
    reason: str
    message: str = ""
    lasting: bool = False


def failure_from_error(attempt_id: str, error: Exception, surprises: SurpriseLog) -> Failure:
    """The Failure of an attempt that ended with an error. An unexpected error is also counted as a surprise.

    Raises:
        CallwrightError: the error itself, if it ends more than this attempt.
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
    """How the run of a plan ended. Its chains are in the journal.

    Attributes:
        failures: in the order of the plan.
        not_run: number of attempts not run or not finished, because a budget was used up or too many attempts failed.
        limit_reached: the limit of the budget that ended the run; None if none did.
    """

    failures: list[Failure] = field(default_factory=list)
    not_run: int = 0
    limit_reached: str | None = None


def missing_attempts(attempts: Sequence[Attempt], journal: Journal[JournalEntry]) -> dict[str, Attempt]:
    """The attempts that are not in the journal, by key."""
    return {attempt.key: attempt for attempt in attempts if attempt.journaled_key(journal) is None}


def prompt_of(attempt: Attempt) -> tuple[str, str]:
    """What attempts with the same prompt, up to the question, have in common: task and view."""
    return attempt.task.name, attempt.view.key


def by_prompt(attempts: Iterable[Attempt]) -> list[Attempt]:
    """The attempts sorted by task and view, so that those in flight have few prompts, which are computed once."""
    return sorted(attempts, key=prompt_of)


async def run_attempts(
    attempts: Sequence[Attempt],
    model: ChatModel,
    journal: Journal[JournalEntry],
    concurrency: int,
    meter: Meter | None = None,
    max_failures: float = float("inf"),
    on_finished: Callable[[Attempt, Chain | None], None] | None = None,
    surprises: SurpriseLog | None = None,
) -> RolloutResult:
    """Run all attempts that are not in the journal. One that ends with an unexpected exception counts as a failure.

    Args:
        concurrency: number of attempts in flight.
        meter: counts what is spent, and may end the run.
        max_failures: when more than this many attempts have failed, no new attempt starts.
        on_finished: called in the call thread with each attempt that is over, and its chain or None.
        surprises: counts the unexpected exceptions; by default those of the stage `rollout`.

    Raises:
        EndpointUnusableError: no attempt can succeed. Finished attempts are in the journal.
        DataError: the journal cannot be written.
    """
    meter = meter or Meter()
    log = surprises or SurpriseLog("rollout")
    commit = GroupCommit(journal)
    remaining = missing_attempts(attempts, journal)
    failures: dict[str, Failure] = {}
    finished_count = 0

    async def run_attempt(attempt: Attempt) -> Chain | None:
        nonlocal finished_count
        chat = MeteredChat(model, meter)
        finished_chat = None
        try:
            protocol = PROTOCOLS[attempt.protocol]
            chain = await solve(
                attempt.problem, attempt.task, chat, attempt.sampling, protocol, attempt.id, view=attempt.view
            )
            await commit.append(JournalEntry(attempt.key, chain, tuple(chat.request_s), tuple(chat.request_usage)))
            finished_chat = chat
            finished_count += 1
            return chain
        except Exception as error:
            failures[attempt.key] = failure_from_error(attempt.id, error, log)
            return None
        finally:
            await meter.finish_attempt(finished_chat)

    async def run_worker() -> None:
        for attempt in queue:  # all workers share the iterator: each takes the next attempt
            if len(failures) > max_failures or not await meter.admit_attempt():
                return
            try:
                chain = await run_attempt(attempt)
            except BudgetError:
                return
            if on_finished is not None:  # in the call thread, because grading the answer may need a solver
                await CALL_THREAD.run(on_finished, attempt, chain)

    queue = iter(remaining.values())
    fatal_error: CallwrightError | None = None
    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(concurrency, len(remaining))):
                workers.create_task(run_worker())
    except* CallwrightError as errors:
        fatal_error = _first_error(errors)  # Python before 3.11.4 would put an error raised here into another group
    if fatal_error is not None:
        raise fatal_error
    failed = [failures[key] for key in remaining if key in failures]
    return RolloutResult(failed, len(remaining) - finished_count - len(failed), meter.limit_reached)


def _first_error(errors: BaseExceptionGroup[CallwrightError]) -> CallwrightError:
    """One of a group's errors. All workers fail for the same reason, such as a full disk."""
    first = errors.exceptions[0]
    return _first_error(first) if isinstance(first, BaseExceptionGroup) else first
