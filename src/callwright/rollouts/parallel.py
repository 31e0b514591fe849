"""Sample small models at the same time on a CPU, each in a process that appends to the model's journal.

Decoding a small model is bound by Python, so one process keeps one core busy. The processes only fill the journals.
Afterwards a stage runs each plan as it does without them, and whatever has no chain is tried again there. So failures,
errors and surprises are counted and reported in one process, by the same code.
"""

import logging
import pickle
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from callwright.execution.map_shards import map_shards
from callwright.execution.processes import available_cores
from callwright.progress import Progress, show
from callwright.rollouts.journal import JournalEntry, open_journal
from callwright.rollouts.plan import Attempt
from callwright.rollouts.sample import missing_attempts
from callwright.storage.journal import Journal
from callwright.surprises import UNEXPECTED, Surprise, SurpriseLog

MIN_ATTEMPTS = 200  # of each model; fewer take about as long as the start of a process, which imports torch
MAX_MODEL_BYTES = 100_000_000  # in its folder; a larger model keeps all cores busy by itself, and two need memory


class Sample(Protocol):
    """Runs the attempts that the journal does not have."""

    def __call__(
        self, *, attempts: Sequence[Attempt], journal: Journal[JournalEntry], surprises: SurpriseLog
    ) -> object: ...


@dataclass(frozen=True, slots=True)
class ParallelModel:
    """A model in this process that could be sampled in another one.

    Attributes:
        name: shown in the progress.
        journal: the path of its journal.
        attempts: its plan.
        plan: makes the same attempts in the other process, as attempts hold functions, which cannot be pickled.
        sample: how they are run there.
        folder: its weights; None: it has none, as the oracle.
    """

    name: str
    journal: Path
    attempts: Sequence[Attempt]
    plan: Callable[[], Sequence[Attempt]]
    sample: Sample
    folder: Path | None = None


def sample_in_parallel(models: Sequence[ParallelModel]) -> None:
    """Run the attempts that the journals do not have, where two processes are faster than one; otherwise do nothing.

    If a process cannot sample its model, all of them end, and the caller meets the same error.

    Raises:
        DataError: a journal cannot be opened, or a process was killed. Finished attempts are in the journals.
    """
    cores = available_cores()
    models = suitable_models(models, cores)
    if len(models) < 2:
        return
    done = {model.name: _count_done(model) for model in models}
    models = [model for model in models if len(model.attempts) - done[model.name] >= MIN_ATTEMPTS]
    if len(models) < 2:
        return
    import torch

    processes = min(len(models), cores)
    threads = max(torch.get_num_threads() // processes, 1)
    shards = [(model.journal, model.plan, model.sample, model.folder is not None) for model in models]
    with ExitStack() as stack:
        for model in models:
            stack.enter_context(show(_journal_progress(model, done)))
        results = map_shards(partial(_sample, threads), shards, workers=processes, local_s=0)
        for succeeded in stack.enter_context(closing(results)):  # type: ignore[type-var]
            if not succeeded:
                return


def suitable_models(models: Sequence[ParallelModel], cores: int) -> list[ParallelModel]:
    """The models that can be sampled at the same time in processes; whether that pays, the journals decide.

    None with one core, or with a GPU, which one model should have for itself; nor if other processes cannot load the
    tasks because they were put together in this process.
    """
    if cores < 2 or sum(len(model.attempts) >= MIN_ATTEMPTS for model in models) < 2:
        return []
    from callwright.chat.local.device import pick_device

    if pick_device().type != "cpu":
        return []
    suitable = [model for model in models if len(model.attempts) >= MIN_ATTEMPTS and _is_small(model.folder)]
    try:
        pickle.dumps([(model.plan, model.sample) for model in suitable])
    except Exception:  # whatever a class of a user raises
        return []
    return suitable


def _is_small(folder: Path | None) -> bool:
    return folder is None or sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= MAX_MODEL_BYTES


def _count_done(model: ParallelModel) -> int:
    with open_journal(model.journal) as journal:
        return len(model.attempts) - len(missing_attempts(model.attempts, journal))


def _journal_progress(model: ParallelModel, done: Mapping[str, int]) -> Progress:
    """Counts the lines that another process appends to a model's journal."""
    count, position = done[model.name], model.journal.stat().st_size

    def measure() -> int:
        nonlocal count, position
        with model.journal.open("rb") as file:
            file.seek(position)
            appended = file.read()
        count, position = count + appended.count(b"\n"), position + len(appended)
        return count

    return Progress(model.name, len(model.attempts), "attempts", done=count, measure=measure)


class _IgnoredSurprises(SurpriseLog):
    """Counts nothing: the attempt has no chain, so the stage tries it again, and counts it then."""

    def add(self, surprise: Surprise, subject: str) -> None:
        pass


def _sample(threads: int, shard: tuple[Path, Callable[[], Sequence[Attempt]], Sample, bool]) -> bool:
    """Sample one model in a process of its own. Returns whether no error ended it; the stage reports the error."""
    path, plan, sample, has_weights = shard
    log = logging.getLogger("callwright")  # the stage will log the same
    log.addHandler(logging.NullHandler())
    log.propagate = False
    try:
        if has_weights:
            import torch

            torch.set_num_threads(threads)
        with open_journal(path) as journal:
            sample(attempts=plan(), journal=journal, surprises=_IgnoredSurprises("parallel"))
    except UNEXPECTED:
        return False
    return True
