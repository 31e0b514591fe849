"""The journal of a rollout: its finished attempts, outside the DVC outs, so that none is paid for twice."""

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from glob import escape
from operator import attrgetter
from pathlib import Path

from callwright import paths
from callwright.errors import DataError
from callwright.records import Chain, Usage
from callwright.rollouts.plan import Attempt
from callwright.storage.journal import Journal

log = logging.getLogger("callwright")

JOURNALS_ENV = "CALLWRIGHT_JOURNALS"
_PART = ".part"  # before the number of a part


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A finished attempt: its key, its chain, and the seconds and tokens that each of its requests took."""

    key: str
    chain: Chain
    request_s: tuple[float, ...] = ()
    request_usage: tuple[Usage, ...] = ()


def journal_path(name: str) -> Path:
    """The path of one model's journal: in CALLWRIGHT_JOURNALS, otherwise in the project's .callwright.

    `dvc exp run --temp` and `--queue` work in a copy of the project below .dvc/tmp/exps, which DVC deletes. They use
    the journal of the project itself.
    """
    folder = os.environ.get(JOURNALS_ENV)
    if folder:
        return Path(folder) / f"{name}.jsonl"
    project = Path()
    here = Path.cwd()
    for parent in here.parents:
        if parent.parts[-3:] == (".dvc", "tmp", "exps"):
            project = parent.parents[2]
    return project / paths.WORK / "journals" / f"{name}.jsonl"


def part_path(path: Path, number: int) -> Path:
    """The journal of a process that samples a part of the attempts. `open_journal` moves it into the journal."""
    return path.with_name(f"{path.stem}{_PART}{number}{path.suffix}")


def parts_of(path: Path) -> list[Path]:
    """The parts of a journal that have not been moved into it."""
    return sorted(path.parent.glob(f"{escape(path.stem)}{_PART}*{escape(path.suffix)}"))


@contextmanager
def open_journal(path: Path) -> Iterator[Journal[JournalEntry]]:
    """Open a journal for this process alone, with what is in its parts. Waits while another run uses it.

    Raises:
        DataError: it cannot be opened, or a line is not an attempt.
    """
    with _lock(path), _open(path) as journal:
        if _PART not in path.stem:
            for part in parts_of(path):
                _move_into(journal, part)
        yield journal


def _move_into(journal: Journal[JournalEntry], part: Path) -> None:
    """Move the entries of a part, unless its process still writes it."""
    from filelock import Timeout

    with suppress(Timeout), _lock(part, wait=False):
        with _open(part) as finished:
            for key in finished:
                if key not in journal:
                    journal.add(finished[key])
        journal.sync()
        part.unlink()


@contextmanager
def _lock(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a journal's lock.

    Raises:
        Timeout: another process holds it, and `wait` is false.
        DataError: the lock cannot be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(f"{path}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        if not wait:
            raise
        log.warning("journal %s is in use by another run: waiting for it to end", path)
        lock.acquire()
    except OSError as error:
        raise DataError(f"journal {path} cannot be opened: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _open(path: Path) -> Iterator[Journal[JournalEntry]]:
    with closing(Journal(path, JournalEntry, key=attrgetter("key"))) as journal:
        yield journal


def find_entry(attempt: Attempt, journal: Journal[JournalEntry]) -> JournalEntry | None:
    """The journal's entry for an attempt, or None. Its chain gets the ids and the view's key of the attempt."""
    key = attempt.journaled_key(journal)
    if key is None:
        return None
    entry = journal[key]
    return replace(
        entry, chain=replace(entry.chain, id=attempt.id, problem_id=attempt.problem.id, view=attempt.view.key)
    )


class GroupCommit:
    """Lets attempts that finish together share one sync to disk. A sync takes milliseconds and runs in a thread."""

    def __init__(self, journal: Journal[JournalEntry]) -> None:
        self._journal = journal
        self._lock = asyncio.Lock()
        self._added = self._synced = 0

    async def append(self, entry: JournalEntry) -> None:
        """Add a finished attempt; it is on disk when this returns.

        Raises:
            DataError: the disk is full or not writable.
        """
        self._journal.add(entry)
        self._added += 1
        position = self._added
        async with self._lock:
            if self._synced < position:  # otherwise a sync that began after the entry was added covered it
                added = self._added
                await asyncio.to_thread(self._journal.sync)
                self._synced = added
