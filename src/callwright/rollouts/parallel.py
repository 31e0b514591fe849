"""Sample small models in several processes on a CPU. They append to the models' journals, or to parts of them.

Decoding a small model is bound by Python, so one process keeps one core busy. The processes only fill the journals.
Afterwards a stage runs each plan as it does without them, and whatever has no chain is tried again there. So failures,
errors and surprises are counted and reported in one process, by the same code.
"""

import logging
import pickle
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Protocol

from callwright.execution.map_shards import map_shards
from callwright.execution.processes import available_cores
from callwright.progress import Progress, show
from callwright.rollouts.journal import JournalEntry, open_journal, part_path, parts_of
from callwright.rollouts.plan import Attempt
from callwright.rollouts.sample import by_prompt, missing_attempts, prompt_of
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
    """Run the attempts that the journals do not have, where processes are faster than one; otherwise do nothing.

    The attempts of a model with weights are divided into a part for each core. If a process cannot sample its model,
    all of them end, and the caller meets the same error.

    Raises:
        DataError: a journal cannot be opened, or a process was killed. Finished attempts are in the journals.
    """
    cores = available_cores()
    models = suitable_models(models, cores)
    missing = {model.name: _missing(model) for model in models}
    models = [model for model in models if len(missing[model.name]) >= MIN_ATTEMPTS]
    of_models = [_shards(model, missing[model.name], cores) for model in models]
    # One of each model in turn, so that each model's progress tells how long it will still take.
    shards = [shard for in_turn in zip_longest(*of_models) for shard in in_turn if shard is not None]
    if len(shards) < 2:
        return
    import torch

    threads = max(torch.get_num_threads() // cores, 1)
    with ExitStack() as stack:
        for model in models:
            stack.enter_context(show(_journal_progress(model, len(missing[model.name]))))
        results = map_shards(partial(_sample, threads), shards, workers=min(len(shards), cores), local_s=0)
        for succeeded in stack.enter_context(closing(results)):  # type: ignore[type-var]
            if not succeeded:
                return


@dataclass(frozen=True, slots=True)
class _Shard:
    """A part of a model's attempts, and the journal for their chains. `plan` and `sample` are those of the model."""

    journal: Path
    plan: Callable[[], Sequence[Attempt]]
    sample: Sample
    keys: frozenset[str]
    has_weights: bool


def _missing(model: ParallelModel) -> list[Attempt]:
    with open_journal(model.journal) as journal:
        return by_prompt(missing_attempts(model.attempts, journal).values())


def _shards(model: ParallelModel, missing: Sequence[Attempt], cores: int) -> list[_Shard]:
    """One for each core, with its own journal, of a model with weights; one of another, such as the oracle."""
    count = min(cores, len(missing) // MIN_ATTEMPTS) if model.folder else 1
    if count == 1:
        parts = [(model.journal, missing)]
    else:
        parts = [(part_path(model.journal, number), part) for number, part in enumerate(deal_out(missing, count))]
    return [
        _Shard(journal, model.plan, model.sample, frozenset(attempt.key for attempt in part), model.folder is not None)
        for journal, part in parts
    ]


def deal_out(attempts: Sequence[Attempt], count: int) -> list[list[Attempt]]:
    """Divide attempts into `count` parts that take about as long.

    Attempts with the same prompt stay together, because each part computes its prompts itself, unless they are more
    than half of a part.
    """
    pieces: list[Sequence[Attempt]] = []
    for _, group in groupby(by_prompt(attempts), key=prompt_of):
        same_prompt = list(group)
        if len(same_prompt) > len(attempts) / count / 2:
            pieces += [same_prompt[number::count] for number in range(count)]
        else:
            pieces.append(same_prompt)
    parts: list[list[Attempt]] = [[] for _ in range(count)]
    for piece in sorted(pieces, key=len, reverse=True):
        min(parts, key=len).extend(piece)
    return parts


def suitable_models(models: Sequence[ParallelModel], cores: int) -> list[ParallelModel]:
    """The models that can be sampled in processes; whether that pays, the journals decide.

    None with one core, or with a GPU, which one model should have for itself; nor if other processes cannot load the
    tasks because they were put together in this process.
    """
    suitable = [model for model in models if len(model.attempts) >= MIN_ATTEMPTS and _is_small(model.folder)]
    if cores < 2 or not suitable:
        return []
    from callwright.chat.local.device import pick_device

    if pick_device().type != "cpu":
        return []
    try:
        pickle.dumps([(model.plan, model.sample) for model in suitable])
    except Exception:  # whatever a class of a user raises
        return []
    return suitable


def _is_small(folder: Path | None) -> bool:
    return folder is None or sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= MAX_MODEL_BYTES


def _journal_progress(model: ParallelModel, missing: int) -> Progress:
    """Counts the lines that other processes append to a model's journal and its parts."""
    count, positions = len(model.attempts) - missing, {model.journal: model.journal.stat().st_size}

    def measure() -> int:
        nonlocal count
        for path in (model.journal, *parts_of(model.journal)):
            with suppress(FileNotFoundError), path.open("rb") as file:
                file.seek(positions.get(path, 0))
                appended = file.read()
                count, positions[path] = count + appended.count(b"\n"), file.tell()
        return count

    return Progress(model.name, len(model.attempts), "attempts", done=count, measure=measure)


class _IgnoredSurprises(SurpriseLog):
    """Counts nothing: the attempt has no chain, so the stage tries it again, and counts it then."""

    def add(self, surprise: Surprise, subject: str) -> None:
        pass


def _sample(threads: int, shard: _Shard) -> bool:
    """Sample a shard in another process. Returns whether no error ended it; the stage meets the same error."""
    log = logging.getLogger("callwright")  # the stage will log the same
    log.addHandler(logging.NullHandler())
    log.propagate = False
    try:
        if shard.has_weights:
            import torch

            torch.set_num_threads(threads)
        attempts = by_prompt(attempt for attempt in shard.plan() if attempt.key in shard.keys)
        with open_journal(shard.journal) as journal:
            shard.sample(attempts=attempts, journal=journal, surprises=_IgnoredSurprises("parallel"))
    except UNEXPECTED:
        return False
    return True
