"""The two kinds of rollout: of a teacher behind an endpoint, and of a model in this process (on-policy)."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from callwright.chat.model import ChatModel
from callwright.chat.openai.endpoint import ORACLE, EndpointChat
from callwright.errors import ProviderError
from callwright.params import RolloutParams, TeacherParams
from callwright.records import Problem
from callwright.rollouts.budget import Meter
from callwright.rollouts.journal import JournalEntry
from callwright.rollouts.plan import Attempt
from callwright.rollouts.probe import probe_endpoints
from callwright.rollouts.progress import Progress
from callwright.rollouts.sample import RolloutResult, missing_attempts, run_attempts
from callwright.standins.oracle.app import create_app
from callwright.storage.journal import Journal
from callwright.surprises import SurpriseLog
from callwright.tasks import Tasks


def roll_out_teacher(
    problems: Sequence[Problem],
    tasks: Tasks,
    teacher: TeacherParams,
    attempts: Sequence[Attempt],
    rollout: RolloutParams,
    journal: Journal[JournalEntry],
    surprises: SurpriseLog | None = None,
) -> RolloutResult:
    """Run a teacher's attempts that are not in the journal, within the budget.

    The teacher is an OpenAI-compatible endpoint, or the oracle in process.

    Args:
        problems, tasks: what the oracle answers from.

    Returns:
        An empty result if the journal has all attempts.

    Raises:
        ProviderError: the endpoint cannot be used, or the oracle has no solution of a problem.
        DataError: the journal cannot be written.
    """
    remaining = missing_attempts(attempts, journal)
    if not remaining:
        return RolloutResult()
    app = None
    if teacher.base_url == ORACLE:
        _require_solutions([attempt.problem for attempt in remaining.values()])
        app = create_app(problems, teacher.mistakes.model_dump(), tasks=tasks)

    async def run() -> RolloutResult:
        model = EndpointChat(teacher, app)
        meter = Meter(rollout.budget, rollout.prices)
        try:
            await probe_endpoints(model, attempts, journal)
            return await roll_out(attempts, model, journal, rollout.concurrency, meter, rollout, surprises)
        finally:
            await model.close()

    return asyncio.run(run())


def _require_solutions(problems: Iterable[Problem]) -> None:
    unsolved_ids = sorted({problem.id for problem in problems if not problem.solution})
    if unsolved_ids:
        raise ProviderError(
            f"the oracle teacher answers from solutions, which {len(unsolved_ids):,} problems do not have, such as "
            f"{unsolved_ids[0]}: name an endpoint in teacher.base_url, or give them solutions"
        )


def roll_out_local(
    folder: Path,
    name: str,
    attempts: Sequence[Attempt],
    batch_size: int,
    rollout: RolloutParams,
    journal: Journal[JournalEntry],
    surprises: SurpriseLog | None = None,
) -> RolloutResult:
    """Run the attempts of a model in this process that are not in the journal, in batches. No budget applies.

    Returns:
        An empty result if the journal has all attempts.

    Raises:
        ProviderError: the folder has no usable model.
        DataError: the journal cannot be written.
    """
    if not missing_attempts(attempts, journal):
        return RolloutResult()
    from callwright.chat.local.chat import LocalChat

    async def run() -> RolloutResult:
        model = LocalChat(folder, name, max_batch=batch_size)
        concurrency = batch_size * 2  # more than a batch, so that requests of similar length can share one
        return await roll_out(attempts, model, journal, concurrency, Meter(), rollout, surprises)

    return asyncio.run(run())


async def roll_out(
    attempts: Sequence[Attempt],
    model: ChatModel,
    journal: Journal[JournalEntry],
    concurrency: int,
    meter: Meter,
    rollout: RolloutParams,
    surprises: SurpriseLog | None = None,
) -> RolloutResult:
    """Run the attempts that are not in the journal, and show the progress.

    Args:
        concurrency: number of attempts in flight.
        meter: counts what is spent, and may end the run.
        rollout: its `max_failure_rate` limits the failures.
        surprises: counts the unexpected exceptions; by default those of the stage `rollout`.

    Raises:
        EndpointUnusableError: no attempt can succeed.
        DataError: the journal cannot be written.
    """
    total = len(attempts)
    progress = Progress(model.name, total - len(missing_attempts(attempts, journal)), total, meter)
    async with progress.display():
        max_failures = rollout.max_failure_rate * total
        return await run_attempts(
            attempts, model, journal, concurrency, meter, max_failures, progress.attempt_finished, surprises
        )
