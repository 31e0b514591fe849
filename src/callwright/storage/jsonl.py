"""Typed JSONL: streamed reading, atomic writing."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from callwright.errors import DataError
from callwright.storage.files import replacing

T = TypeVar("T")
MAX_LINE_BYTES = 32_000_000  # a longer line is not a record, and is not read into memory completely

_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(record_type: type[Any]) -> TypeAdapter[Any]:
    """The adapter of a record class, built once, as building takes milliseconds."""
    if record_type not in _ADAPTERS:
        _ADAPTERS[record_type] = TypeAdapter(record_type)
    return _ADAPTERS[record_type]


def dumps(record: Any) -> bytes:
    """One record as one line of JSON, without the newline."""
    return _adapter(type(record)).dump_json(record)


def loads(record_type: type[T], line: bytes | str, where: str) -> T:
    """Parse one record.

    Args:
        where: location of the line; errors start with it.

    Raises:
        DataError: the line is not such a record; the message has the location, the field and the cause.
    """
    if _byte_count(line) > MAX_LINE_BYTES:
        raise DataError(
            f"{where}: the line is longer than {MAX_LINE_BYTES:,} bytes; not a {record_type.__name__} record"
        )
    try:
        record: T = _adapter(record_type).validate_json(line, strict=True)  # strict: text is not accepted as a number
        return record
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the line"
        raise DataError(f"{where}: {field}: {first['msg']}; not a {record_type.__name__} record") from None


def _byte_count(line: bytes | str) -> int:
    return len(line if isinstance(line, bytes) else line.encode("utf-8", "surrogatepass"))


def read(record_type: type[T], path: Path) -> Iterator[T]:
    """The records of a JSONL file, one at a time.

    Raises:
        DataError: the file is missing or unreadable, or a line is malformed (named as path:line).
    """
    for where, line in read_lines(path):
        yield loads(record_type, line, where)


def read_lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """The lines of a file that are not blank, one at a time: (location as path:line, line without its newline).

    A line of more than MAX_LINE_BYTES is cut after at most MAX_LINE_BYTES + 2 bytes, so `loads` rejects it.

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
        while line := file.readline(MAX_LINE_BYTES + 2):  # 2: for \r\n
            number += 1
            tail = line
            while not tail.endswith(b"\n") and (tail := file.readline(1 << 20)):
                pass  # skip the rest of a line that is too long
            if not line.isspace():
                yield f"{path}:{number}", line.rstrip(b"\r\n")


def write(path: Path, records: Iterable[Any]) -> int:
    """Write records to a JSONL file, atomically; returns their number."""
    return write_lines(path, map(dumps, records))


def write_lines(path: Path, lines: Iterable[bytes]) -> int:
    """Write lines, given without their newlines, to a file, atomically; returns their number."""
    count = 0
    with replacing(path) as file:
        for line in lines:
            file.write(line + b"\n")
            count += 1
    return count
