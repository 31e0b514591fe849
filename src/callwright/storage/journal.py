"""A journal of finished work that survives a killed process."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from callwright.errors import DataError
from callwright.storage.jsonl import dumps, loads

T = TypeVar("T")
_CHUNK_BYTES = 1 << 16


class Journal(Generic[T]):
    """A file with one line per finished record, so that a restarted run repeats no finished work.

    Only the keys and the offsets of their lines are in memory; records are read from the file on access. An incomplete
    last line (the process died while writing) is removed when the journal is opened. Of several lines with the same key
    the first counts.

    Args:
        key: the key of a record.

    Raises:
        DataError: the file cannot be opened, or a complete line is not such a record (named as path:line).
    """

    def __init__(self, path: Path, kind: type[T], key: Callable[[T], str]) -> None:
        self.path = path
        self._record_type = kind
        self._key = key
        self._offsets: dict[str, int] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b", buffering=0)  # unbuffered: closing must not retry a failed write
            self._reader = path.open("rb")
        except OSError as error:
            raise DataError(f"journal {path} cannot be opened: {error.strerror}") from None
        self._remove_incomplete_line()
        start = 0
        for number, line in enumerate(self._reader, start=1):
            try:
                record = loads(kind, line, f"{path}:{number}")
            except DataError as error:
                raise DataError(f"{error}: delete the line, then run again") from None
            self._offsets.setdefault(key(record), start)
            start += len(line)

    def __len__(self) -> int:
        return len(self._offsets)

    def __contains__(self, key: object) -> bool:
        return key in self._offsets

    def __iter__(self) -> Iterator[str]:
        """The keys, in the order of their records."""
        return iter(self._offsets)

    def __getitem__(self, key: str) -> T:
        """The record of a key.

        Raises:
            KeyError: the key is not in the journal.
        """
        self._reader.seek(self._offsets[key])
        return loads(self._record_type, self._reader.readline(), f"{self.path}, {key}")

    def _remove_incomplete_line(self) -> None:
        size = self._file.seek(0, os.SEEK_END)
        if size == 0:
            return
        end = size
        while end > 0:
            start = max(0, end - _CHUNK_BYTES)
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
            DataError: the disk is full or not writable; earlier records are kept.
        """
        self.add(record)
        self.sync()

    def add(self, record: T) -> None:
        """Add one finished record. It survives a killed process now, and a power failure after the next `sync`.

        Raises:
            DataError: the disk is full or not writable; earlier records are kept.
        """
        line = dumps(record) + b"\n"
        start = self._file.seek(0, os.SEEK_END)
        try:
            written = 0
            while written < len(line):  # a nearly full disk can write a part
                written += self._file.write(line[written:])
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(start)
            raise self._write_error(error) from None
        self._offsets.setdefault(self._key(record), start)

    def sync(self) -> None:
        """Write all added records to disk.

        Raises:
            DataError: the disk failed.
        """
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._write_error(error) from None

    def _write_error(self, error: OSError) -> DataError:
        return DataError(f"journal {self.path}: {error.strerror}; earlier records are kept: make room, then run again")

    def close(self) -> None:
        """Sync and close; records can then no longer be read."""
        self.sync()
        self._file.close()
        self._reader.close()
