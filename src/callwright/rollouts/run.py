"""The two kinds of rollout: a teacher's behind an endpoint, and that of a model in this process (on-policy)."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from callwright.chat.model import ChatModel
from callwright.chat.openai.endpoint import ORACLE, EndpointChat
from callwright.errors import ProviderError
from callwright.params import RolloutParams, TeacherParams
from callwright.records import Problem
from callwright.rollouts.budget import Meter
from callwright.rollouts.journal import JournalEntry
from callwright.rollouts.plan import Attempt
from callwright.rollouts.probe import probe
from callwright.rollouts.progress import Progress
from callwright.rollouts.sample import RolloutResult, missing, run_attempts
from callwright.standins.oracle.app import create_app
from callwright.storage.journal import Journal
from callwright.surprises import SurpriseLog


def roll_out_teacher(
    problems: Sequence[Problem],
    teacher: TeacherParams,
    attempts: Sequence[Attempt],
    rollout: RolloutParams,
    journal: Journal[JournalEntry],
    surprises: SurpriseLog | None = None,
) -> RolloutResult:
    """Make a teacher's attempts, within the budget: an OpenAI-compatible endpoint, or the oracle in process.

    Raises:
        ProviderError: the endpoint cannot be used at all, or the oracle lacks a problem's solution.
    """
    left = missing(attempts, journal)
    if not left:
        return RolloutResult()
    app = None
    if teacher.base_url == ORACLE:
        _require_solutions(sorted({attempt.problem.id for attempt in left.values() if not attempt.problem.solution}))
        app = create_app(problems, teacher.mistakes.model_dump())

    async def run() -> RolloutResult:
        model = EndpointChat(teacher, app)
        meter = Meter(rollout.budget, rollout.prices)
        try:
            await probe(model, attempts, journal)
            return await roll_out(attempts, model, journal, rollout.concurrency, meter, rollout, surprises)
        finally:
            await model.close()

    return asyncio.run(run())


def _require_solutions(without: Sequence[str]) -> None:
    if without:
        raise ProviderError(
            f"the oracle teacher answers from solutions, which {len(without):,} problems do not have, such as "
            f"{without[0]}: name an endpoint in teacher.base_url, or give them solutions"
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
    """Make the attempts of a model in this process, in batches; no budget applies.

    Raises:
        ProviderError: the folder holds no usable model.
    """
    if not missing(attempts, journal):
        return RolloutResult()
    from callwright.chat.local.chat import LocalChat

    async def run() -> RolloutResult:
        model = LocalChat(folder, name, max_batch=batch_size)
        return await roll_out(attempts, model, journal, batch_size * 2, Meter(), rollout, surprises)

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
    """Make the attempts that the journal lacks, and show how far it is.

    Args:
        concurrency: attempts in flight.
    """
    total = len(attempts)
    progress = Progress(model.name, total - len(missing(attempts, journal)), total, meter)
    async with progress.shown():
        allowed = rollout.max_failure_rate * total
        return await run_attempts(attempts, model, journal, concurrency, meter, allowed, progress.finished, surprises)
