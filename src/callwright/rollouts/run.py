"""The two kinds of rollout: of a teacher, wherever it is served, and of a model in this process (on-policy)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from callwright.chat.backend import Backend, ChatOptions
from callwright.chat.model import ChatModel, ProbedChatModel
from callwright.chat.open_chat import find_backend
from callwright.errors import ProviderError
from callwright.params import RolloutParams, TeacherParams
from callwright.progress import show
from callwright.records import Problem
from callwright.rollouts.budget import Meter
from callwright.rollouts.journal import JournalEntry
from callwright.rollouts.plan import Attempt
from callwright.rollouts.probe import probe_endpoints
from callwright.rollouts.progress import RolloutProgress
from callwright.rollouts.sample import RolloutResult, by_prompt, missing_attempts, run_attempts
from callwright.storage.journal import Journal
from callwright.surprises import SurpriseLog
from callwright.tasks import Tasks
from callwright.tasks.view import View


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

    Args:
        problems, tasks: what a teacher that reads solutions answers from.

    Returns:
        An empty result if the journal has all attempts.

    Raises:
        ProviderError: the teacher cannot be used, or reads solutions and a problem has none.
        DataError: the journal cannot be written.
    """
    options = ChatOptions(
        section="teacher",
        concurrency=rollout.concurrency,
        max_batch=rollout.batch_size,
        problems=problems,
        tasks=tasks,
        views=_views_of(attempts),
    )
    backend = find_backend(teacher, options=options)
    start_meter = partial(Meter, rollout.budget, rollout.prices)
    return _roll_out_backend(backend, attempts, journal, start_meter, rollout, surprises)


def _views_of(attempts: Iterable[Attempt]) -> dict[str, list[View]]:
    """The views of the attempts, by task."""
    views: dict[str, dict[str, View]] = {}
    for attempt in attempts:
        if attempt.view.key:
            views.setdefault(attempt.task.name, {})[attempt.view.key] = attempt.view
    return {task: list(by_key.values()) for task, by_key in views.items()}


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
    backend = find_backend(folder, options=ChatOptions(name, max_batch=batch_size))
    return _roll_out_backend(backend, by_prompt(attempts), journal, Meter, rollout, surprises)


def _roll_out_backend(
    backend: Backend,
    attempts: Sequence[Attempt],
    journal: Journal[JournalEntry],
    start_meter: Callable[[], Meter],
    rollout: RolloutParams,
    surprises: SurpriseLog | None,
) -> RolloutResult:
    if not missing_attempts(attempts, journal):
        return RolloutResult()

    async def run() -> RolloutResult:
        async with open_for(backend, attempts, journal) as model:
            return await roll_out(attempts, model, journal, backend.concurrency, start_meter(), rollout, surprises)

    return asyncio.run(run())


@asynccontextmanager
async def open_for(
    backend: Backend, attempts: Sequence[Attempt], journal: Journal[JournalEntry]
) -> AsyncIterator[ChatModel]:
    """Open a model for the attempts that are not in the journal, and check first that it can be used.

    Args:
        attempts: at least one.

    Raises:
        ProviderError: the model cannot be used, or reads solutions and a problem has none.
    """
    if backend.reads_solutions:
        _require_solutions(attempt.problem for attempt in missing_attempts(attempts, journal).values())
    async with backend.open() as model:
        if isinstance(model, ProbedChatModel):
            await probe_endpoints(model, attempts, journal)
        yield model


def _require_solutions(problems: Iterable[Problem]) -> None:
    unsolved_ids = sorted({problem.id for problem in problems if not problem.solution})
    if unsolved_ids:
        raise ProviderError(
            f"the oracle teacher answers from solutions, which {len(unsolved_ids):,} problems do not have, such as "
            f"{unsolved_ids[0]}: name an endpoint in teacher.base_url, or give them solutions"
        )


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
    counts = RolloutProgress(model.name, total - len(missing_attempts(attempts, journal)), total, meter)
    with show(counts.progress):
        max_failures = rollout.max_failure_rate * total
        return await run_attempts(
            attempts, model, journal, concurrency, meter, max_failures, counts.attempt_finished, surprises
        )
