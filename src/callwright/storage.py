"""Typed JSONL: streamed reading, atomic writing, and a journal that survives being killed."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from callwright.errors import DataError

T = TypeVar("T")
MAX_LINE_BYTES = 32_000_000  # in a JSONL file; a longer line is not a record and is not kept in memory

_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Building an adapter takes milliseconds; a record class needs one only."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def dumps(record: Any) -> bytes:
    """One record as one line of JSON, without the newline."""
    return _adapter(type(record)).dump_json(record)


def loads(kind: type[T], line: bytes | str, where: str) -> T:
    """One record from one line.

    Raises:
        DataError: the line is not such a record; says `where`, the field and what was wrong with it.
    """
    if len(line) > MAX_LINE_BYTES:
        raise DataError(f"{where}: the line is longer than {MAX_LINE_BYTES:,} bytes; not a {kind.__name__} record")
    try:
        record: T = _adapter(kind).validate_json(line, strict=True)  # a number written as text is no number
        return record
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the line"
        raise DataError(f"{where}: {field}: {first['msg']}; not a {kind.__name__} record") from None


def read(kind: type[T], path: Path) -> Iterator[T]:
    """Records of a JSONL file, one at a time.

    Raises:
        DataError: the file is missing or a line is malformed (named as path:line).
    """
    for where, line in read_lines(path):
        yield loads(kind, line, where)


def read_lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """Lines of a file that are not blank, without their newline, each with its place (path:line), one at a time.

    Of a line with more than MAX_LINE_BYTES comes its beginning, which is too long for `loads` too.

    Raises:
        DataError: the file is missing or cannot be read.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise DataError(f"{path} is missing: run the stage that writes it (dvc repro)") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    with file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 2):  # with \r\n
            number += 1
            tail = line
            while not tail.endswith(b"\n") and (tail := file.readline(1 << 20)):
                pass  # skip the rest of a line that is too long
            if not line.isspace():
                yield f"{path}:{number}", line.rstrip(b"\r\n")


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}; the old file, if any, is untouched") from None
    finally:
        with suppress(OSError):  # where the folder is a file, there is nothing to remove
            temporary.unlink(missing_ok=True)


def write(path: Path, records: Iterable[Any]) -> int:
    """Write records to a JSONL file, all or nothing; returns how many."""
    return write_lines(path, map(dumps, records))


def write_lines(path: Path, lines: Iterable[bytes]) -> int:
    """Write lines, given without their newline, to a file, all or nothing; returns how many."""
    count = 0
    with _replacing(path) as file:
        for line in lines:
            file.write(line + b"\n")
            count += 1
    return count


def write_text(path: Path, text: str) -> None:
    """Write a text file, all or nothing."""
    with _replacing(path) as file:
        file.write(text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, all or nothing; NaN is refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """A JSON file's value.

    Raises:
        DataError: the file is missing or malformed.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path} is missing: run the stage that writes it (dvc repro)") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except RecursionError:
        raise DataError(f"{path} is not JSON: it is nested too deeply") from None
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}") from None


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
        self._kind = kind
        self._key = key
        self._starts: dict[str, int] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b", buffering=0)  # unbuffered: what failed to be written is not tried again
            self._reader = path.open("rb")
        except OSError as error:
            raise DataError(f"journal {path} cannot be opened: {error.strerror}") from None
        self._cut_torn_line()
        start = 0
        for number, line in enumerate(self._reader, start=1):
            try:
                record = loads(kind, line, f"{path}:{number}")
            except DataError as error:
                raise DataError(f"{error}: take the line out, then run again") from None
            self._starts.setdefault(key(record), start)
            start += len(line)

    def __len__(self) -> int:
        return len(self._starts)

    def __contains__(self, key: object) -> bool:
        return key in self._starts

    def __getitem__(self, key: str) -> T:
        """The record of a key.

        Raises:
            KeyError: it is not in the journal.
        """
        self._reader.seek(self._starts[key])
        return loads(self._kind, self._reader.readline(), f"{self.path}, {key}")

    def _cut_torn_line(self) -> None:
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
            raise self._not_writable(error) from None
        self._starts.setdefault(self._key(record), start)

    def sync(self) -> None:
        """Put everything added so far on disk.

        Raises:
            DataError: the disk failed.
        """
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._not_writable(error) from None

    def _not_writable(self, error: OSError) -> DataError:
        return DataError(
            f"journal {self.path}: {error.strerror}; what was journaled before is kept: make room, then run again"
        )

    def close(self) -> None:
        """Sync and close; the records can no longer be read."""
        self.sync()
        self._file.close()
        self._reader.close()


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_hash(folder: Path) -> str:
    """SHA-256 over the names and contents of all files below a folder."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole.update(str(path.relative_to(folder)).encode() + b"\0")
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
