"""The two rollouts of the pipeline: the teacher's, and the base's own (on-policy)."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from callwright.chat.endpoint import ORACLE, EndpointChat
from callwright.chat.model import Sampling
from callwright.chat.oracle import create_app
from callwright.params import RolloutParams, SamplingParams, TeacherParams
from callwright.records import Chain, Problem
from callwright.rollouts.sample import Attempt, Failure, open_journal, plan, run_attempts

log = logging.getLogger("callwright")
PROGRESS_S = 20.0  # between lines of progress

Rolled = tuple[list[Chain], list[Failure]]


def roll_out_teacher(
    problems: Sequence[Problem], teacher: TeacherParams, plan_: Sequence[Attempt], concurrency: int, journal: Path
) -> Rolled:
    """Chains of the teacher: an OpenAI-compatible endpoint, or the oracle in process.

    Raises:
        ProviderError: the endpoint cannot be used at all.
    """
    app = create_app(problems, teacher.mistakes.model_dump()) if teacher.base_url == ORACLE else None

    async def run() -> Rolled:
        model = EndpointChat(teacher, app)
        opened = open_journal(journal)
        try:
            if any(attempt.key not in opened.done for attempt in plan_):
                await model.probe()
            return await run_attempts(plan_, model, opened, concurrency, _progress("teacher"))
        finally:
            opened.close()
            await model.close()

    return asyncio.run(run())


def roll_out_local(folder: Path, name: str, plan_: Sequence[Attempt], batch_size: int, journal: Path) -> Rolled:
    """Chains of a model in this process, in batches.

    Raises:
        ProviderError: the folder holds no usable model.
    """
    from callwright.chat.local import LocalChat

    async def run() -> Rolled:
        opened = open_journal(journal)
        try:
            model = LocalChat(folder, name, max_batch=batch_size)
            return await run_attempts(plan_, model, opened, batch_size * 2, _progress(name))
        finally:
            opened.close()

    return asyncio.run(run())


def teacher_plan(
    problems: Sequence[Problem], teacher: TeacherParams, own: SamplingParams, rollout: RolloutParams, seed: int
) -> list[Attempt]:
    """The teacher's attempts; the oracle's mistakes are part of what it is."""
    model = {"name": teacher.model, "base_url": teacher.base_url}
    if teacher.base_url == ORACLE:
        model["mistakes"] = teacher.mistakes.model_dump_json()
    return plan(problems[: own.problems], model, own.chains, sampling_of(own, rollout, seed), rollout.protocol)


def local_plan(
    problems: Sequence[Problem], name: str, weights: str, own: SamplingParams, rollout: RolloutParams, seed: int
) -> list[Attempt]:
    """Attempts of a model in this process; `weights` is the hash of its folder."""
    model = {"name": name, "weights": weights}
    return plan(problems[: own.problems], model, own.chains, sampling_of(own, rollout, seed), rollout.protocol)


def sampling_of(own: SamplingParams, rollout: RolloutParams, seed: int) -> Sampling:
    return Sampling(own.temperature, own.top_p, rollout.max_tokens, rollout.max_steps, seed)


def _progress(name: str) -> Callable[[int, int], None]:
    last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > PROGRESS_S:
            last = time.monotonic()
            log.info("%s: %s of %s attempts", name, f"{done:,}", f"{total:,}")

    return report
