"""Write text, JSON and CSV files atomically; hash files and folders."""

import csv
import hashlib
import io
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from callwright.errors import DataError


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that replaces `path` on success, so that `path` is never half-written.

    Raises:
        DataError: the file cannot be written; the old file is unchanged.
    """
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
        with suppress(OSError):  # if the parent is a file, there is nothing to remove
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, atomically. DataError if it cannot be written."""
    with replacing(path) as file:
        file.write(text.encode())


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """The text of a CSV file with a header; a missing value is empty."""
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, atomically.

    Raises:
        DataError: the value has NaN, an infinity or a lone surrogate, or the file cannot be written; the old file is
            unchanged.
    """
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        text.encode()
    except ValueError:
        reason = next(_not_json(value, ()), "a value is not JSON")
        raise DataError(f"{path} cannot be written: {reason}; the old file, if any, is untouched") from None
    write_text(path, text)


def _not_json(value: Any, key: tuple[str, ...]) -> Iterator[str]:
    """What in a value cannot be written as JSON in UTF-8, one line each, with the key that leads to it."""
    where = ".".join(key) or "the value"
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _not_json(str(name), (*key, "a key"))
            yield from _not_json(inner, (*key, str(name)))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _not_json(inner, (*key, str(index)))
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{where} is {value:g}, which is not a number of JSON"
    elif isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        yield f"{where} has half a character (a lone surrogate)"


def read_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises:
        DataError: the file is missing or unreadable.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path} is missing: run the stage that writes it (dvc repro)") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        DataError: the file is missing, unreadable or malformed.
    """
    try:
        return json.loads(read_bytes(path))
    except RecursionError:
        raise DataError(f"{path} is not JSON: it is nested too deeply") from None
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}") from None


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_folder(path: Path) -> bool:
    """Whether a path is a folder that exists; False for one that is longer than a path can be."""
    try:
        return path.is_dir()
    except OSError:
        return False


def folder_hash(folder: Path) -> str:
    """SHA-256 over the names and contents of all files below a folder.

    Raises:
        DataError: there is no such folder. Hashed as nothing, it would be equal to every other missing folder.
    """
    if not is_folder(folder):
        raise DataError(f"{folder} is missing, or not a folder: run the stage that writes it (dvc repro)")
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
