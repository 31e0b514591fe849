"""Read files of rows in bounded memory: one JSON object per line, or one list, in UTF-8, UTF-16 or UTF-32."""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, BinaryIO

from callwright.errors import DataError, RowError
from callwright.problems.row_fields import MALFORMED_JSON, is_valid_unicode, parse_json

MAX_LINE_CHARACTERS = 4_000_000
MAX_LIST_BYTES = 256 * 2**20  # a file that is one JSON list is read into memory

_BYTE_ORDER_MARKS = (  # UTF-32 first, as its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_BINARY_FORMATS = {
    b"\x1f\x8b": "a gzip file: unpack it first",
    b"BZh": "a bzip2 file: unpack it first",
    b"\xfd7zXZ": "an xz file: unpack it first",
    b"\x28\xb5\x2f\xfd": "a zstd file: unpack it first",
    b"PK\x03\x04": "a zip file or a spreadsheet: save its rows as JSON Lines",
    b"PAR1": "a Parquet file: save its rows as JSON Lines",
    b"ARROW1": "an Arrow file: save its rows as JSON Lines",
    b"SQLite format 3": "an SQLite file: save its rows as JSON Lines",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read.

    Attributes:
        number: of the line or of the list's item, from 0; blank lines count.
        where: for people, "file:line" with lines from 1, or "file: row number".
        value: the JSON value, or the error if the row is not JSON.
    """

    number: int
    where: str
    value: Any | RowError

    def value_or_raise(self) -> Any:
        """The JSON value.

        Raises:
            RowError: the row is not JSON.
        """
        if isinstance(self.value, RowError):
            raise self.value
        return self.value


def read_rows(path: Path, advice: str) -> Iterator[Row]:
    """The rows of a file, one at a time; blank lines are skipped.

    Args:
        advice: what users should do if the file cannot be read; errors end with it.

    Raises:
        DataError: the file cannot be read as rows of text.
    """
    with _open(path, advice) as file:
        head = file.read(4096)
        encoding = _detect_encoding(head, path)
        first_character = head.decode(encoding, errors="ignore").lstrip()[:1]
        if first_character == "[":
            items = _parse_list(file, path, encoding)
            if items is not None:
                yield from _numbered_rows(items, path)
                return
        file.seek(0)
        for row in _read_lines(file, path, encoding):
            if row.number == 0 and first_character == "{" and isinstance(row.value, RowError):
                _raise_if_single_object(path, encoding, advice)
            yield row


def read_list(path: Path, advice: str) -> Iterator[Row]:
    """The items of a file that is one JSON list.

    Args:
        advice: what users should do if the file cannot be read; errors end with it.

    Raises:
        DataError: the file cannot be read, or is not one JSON list.
    """
    with _open(path, advice) as file:
        encoding = _detect_encoding(file.read(4096), path)
        try:
            items = _parse_file(file, path, encoding)
        except RowError as error:
            raise DataError(f"{path}: not a JSON file ({error.detail}); {advice}") from None
        if not isinstance(items, list):
            raise DataError(f"{path}: not a list of problems; {advice}")
    yield from _numbered_rows(items, path)


def _open(path: Path, advice: str) -> BinaryIO:
    """Open a regular file; DataError if this is not possible."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise DataError(f"{path}: not a regular file; {advice}")
        return path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: the name has a NUL
        reason = (getattr(error, "strerror", None) or "cannot be read").lower()
        raise DataError(f"{path}: {reason}; {advice}") from None


def _detect_encoding(head: bytes, path: Path) -> str:
    """The encoding by the file's first bytes; DataError if they are those of a binary format."""
    for signature, description in _BINARY_FORMATS.items():
        if head.startswith(signature):
            raise DataError(f"{path}: this is {description}")
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    if head[1:2] == b"\0" and head[:1] != b"\0":  # JSON begins with an ASCII character
        return "utf-16-le"
    return "utf-16-be" if head[:1] == b"\0" and head[1:2] not in (b"\0", b"") else "utf-8"


def _read_lines(file: BinaryIO, path: Path, encoding: str) -> Iterator[Row]:
    # Undecodable bytes become lone surrogates, so that only their own line is lost.
    errors = "surrogateescape" if encoding.startswith("utf-8") else "surrogatepass"
    text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="\n")
    try:
        for number in count():
            where = f"{path}:{number + 1}"
            line = text.readline(MAX_LINE_CHARACTERS + 1)
            if not line:
                return
            if len(line) > MAX_LINE_CHARACTERS and not line.endswith("\n"):
                _skip_line(text)
                yield Row(number, where, RowError(f"the line is longer than {MAX_LINE_CHARACTERS:,} characters"))
            elif line.strip():
                yield Row(number, where, _parse_line(line, encoding))
    except UnicodeDecodeError:  # a truncated UTF-16 file
        yield Row(number, where, RowError(f"not {encoding.upper()} text from here on"))
    finally:
        text.detach()  # leave closing the file to the caller


def _skip_line(text: io.TextIOWrapper) -> None:
    while (piece := text.readline(MAX_LINE_CHARACTERS)) and not piece.endswith("\n"):
        pass


def _parse_line(line: str, encoding: str) -> Any | RowError:
    if not is_valid_unicode(line):
        return RowError(f"not {encoding.removesuffix('-sig').upper()} text")
    try:
        return parse_json(line)
    except RowError as error:
        return error


def _parse_file(file: BinaryIO, path: Path, encoding: str) -> Any:
    """The file's JSON value; RowError if it is not JSON, DataError if it is too large."""
    file.seek(0)
    content = file.read(MAX_LIST_BYTES + 1)
    if len(content) > MAX_LIST_BYTES:
        raise DataError(
            f"{path}: a JSON list of more than {MAX_LIST_BYTES // 2**20} MiB is too large; put one object on each line"
        )
    try:
        return parse_json(content.decode(encoding))
    except UnicodeDecodeError as error:
        raise RowError(MALFORMED_JSON, f"not {encoding.upper()} text at byte {error.start + 1:,}") from None


def _parse_list(file: BinaryIO, path: Path, encoding: str) -> list[Any] | None:
    """The file's list; None if the file is not one list but can have lists as lines.

    Raises:
        DataError: the file begins as a list, but is neither one list nor lines.
    """
    try:
        items = _parse_file(file, path, encoding)
    except RowError as error:
        file.seek(0)
        first_lines = islice(_read_lines(file, path, encoding), 2)  # which are not blank
        if all(isinstance(row.value, RowError) for row in first_lines):
            raise DataError(
                f"{path}: begins as a JSON list, but is malformed: {error.detail}; "
                "fix it, or put one JSON object on each line"
            ) from None
        return None
    return items if isinstance(items, list) else None


def _numbered_rows(items: list[Any], path: Path) -> Iterator[Row]:
    for number, item in enumerate(items):
        yield Row(number, f"{path}: row {number}", item)


def _raise_if_single_object(path: Path, encoding: str, advice: str) -> None:
    """Raise DataError if the file is one JSON object over several lines."""
    with _open(path, advice) as file:
        try:
            value = _parse_file(file, path, encoding)
        except (RowError, DataError):
            return
    if isinstance(value, dict):
        raise DataError(
            f"{path}: one JSON object over several lines; give a JSON list of problems, or put one object on each line"
        )
