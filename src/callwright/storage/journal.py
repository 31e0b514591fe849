"""A journal of finished work that survives being killed."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from callwright.errors import DataError
from callwright.storage.jsonl import dumps, loads

T = TypeVar("T")


class Journal(Generic[T]):
    """Finished work, one line each, so that a killed run pays for nothing twice.

    In memory are the keys and where their lines start, not the records: those are read when they are asked for. A torn
    last line (the process died while writing) is cut when the journal is opened. Of several lines with the same key
    the first counts.

    Raises:
        DataError: the file cannot be opened, or a whole line is no such record (named as path:line).
    """

    def __init__(self, path: Path, kind: type[T], key: Callable[[T], str]) -> None:
        self.path = path
        self._record_type = kind
        self._key = key
        self._offsets: dict[str, int] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b", buffering=0)  # unbuffered: what failed to be written is not tried again
            self._reader = path.open("rb")
        except OSError as error:
            raise DataError(f"journal {path} cannot be opened: {error.strerror}") from None
        self._truncate_torn_line()
        start = 0
        for number, line in enumerate(self._reader, start=1):
            try:
                record = loads(kind, line, f"{path}:{number}")
            except DataError as error:
                raise DataError(f"{error}: take the line out, then run again") from None
            self._offsets.setdefault(key(record), start)
            start += len(line)

    def __len__(self) -> int:
        return len(self._offsets)

    def __contains__(self, key: object) -> bool:
        return key in self._offsets

    def __getitem__(self, key: str) -> T:
        """The record of a key.

        Raises:
            KeyError: it is not in the journal.
        """
        self._reader.seek(self._offsets[key])
        return loads(self._record_type, self._reader.readline(), f"{self.path}, {key}")

    def _truncate_torn_line(self) -> None:
        size = self._file.seek(0, os.SEEK_END)
        if size == 0:
            return
        step = 1 << 16
        end = size
        while end > 0:
            start = max(0, end - step)
            self._file.seek(start)
            newline = self._file.read(end - start).rfind(b"\n")
            if newline >= 0:
                self._file.truncate(start + newline + 1)
                return
            end = start
        self._file.truncate(0)

    def append(self, record: T) -> None:
        """Add one finished record; it is on disk when this returns.

        Raises:
            DataError: the disk is full or not writable; what was journaled before is kept.
        """
        self.add(record)
        self.sync()

    def add(self, record: T) -> None:
        """Add one finished record. It outlives a kill of the process now, and a power cut after the next `sync`.

        Raises:
            DataError: the disk is full or not writable; what was journaled before is kept.
        """
        line = dumps(record) + b"\n"
        start = self._file.seek(0, os.SEEK_END)
        try:
            written = 0
            while written < len(line):  # a disk that is nearly full takes a part
                written += self._file.write(line[written:])
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(start)
            raise self._write_error(error) from None
        self._offsets.setdefault(self._key(record), start)

    def sync(self) -> None:
        """Put everything added so far on disk.

        Raises:
            DataError: the disk failed.
        """
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._write_error(error) from None

    def _write_error(self, error: OSError) -> DataError:
        return DataError(
            f"journal {self.path}: {error.strerror}; what was journaled before is kept: make room, then run again"
        )

    def close(self) -> None:
        """Sync and close; the records can no longer be read."""
        self.sync()
        self._file.close()
        self._reader.close()
