"""Any file is read as rows, or a one-line error says what it is and what to do."""

import gzip
import json
import os
import tracemalloc
from pathlib import Path

import pytest

from callwright.errors import DataError, RowError
from callwright.problems.row_files import MAX_LINE_CHARACTERS, read_rows

ROWS = [{"a": 1}, {"a": "ü\U0001f600\u2028"}, {"a": 3}]
LINES = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in ROWS)


def values(path: Path) -> list[object]:
    """The value of each row, or its error's reason."""
    return [row.value.reason if isinstance(row.value, RowError) else row.value for row in read_rows(path, "fix it")]


def error_message(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        list(read_rows(path, "fix it"))
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.json"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"], ids=lambda name: name
)
@pytest.mark.parametrize("text", [LINES, LINES.replace("\n", "\r\n"), LINES.rstrip(), json.dumps(ROWS, indent=1)])
def test_rows_are_read_in_every_unicode_encoding_as_lines_or_as_a_list(path: Path, encoding: str, text: str):
    path.write_bytes(text.encode(encoding))
    assert values(path) == ROWS


def test_rows_have_their_number_and_location(path: Path):
    path.write_text('\n{"a": 1}\n\n  \n{"a": 2}')
    assert [(row.number, row.where) for row in read_rows(path, "")] == [(1, f"{path}:2"), (4, f"{path}:5")]
    path.write_text('[{"a": 1}, {"a": 2}]')
    assert [(row.number, row.where) for row in read_rows(path, "")] == [(0, f"{path}: row 0"), (1, f"{path}: row 1")]


def test_invalid_bytes_spoil_only_their_line(path: Path):
    path.write_bytes(b'{"a": 1}\n{"a": "\xff"}\n{"a": "\xed\xa0\xbd"}\n{"a": 2}\n')
    assert values(path) == [{"a": 1}, "not UTF-8 text", "not UTF-8 text", {"a": 2}]


def test_a_truncated_utf_16_file_loses_only_its_last_line(path: Path):
    path.write_bytes(LINES.encode("utf-16")[:-5])
    assert values(path) == [*ROWS[:2], "not UTF-16 text from here on"]


def test_a_line_is_read_in_bounded_memory(path: Path):
    path.write_text(f'{{"a": 0}}\n{"1" * 60_000_000}\n{" " * (MAX_LINE_CHARACTERS + 1)}\n{{"a": 1}}\n')
    tracemalloc.start()
    too_long = "the line is longer than 4,000,000 characters"
    assert values(path) == [{"a": 0}, too_long, too_long, {"a": 1}]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000  # half of the line


def test_a_file_whose_first_line_is_a_list_is_still_read_as_lines(path: Path):
    path.write_text('[1]\n{"a": 1}\n')
    assert values(path) == [[1], {"a": 1}]
    path.write_text('[[[\n{"a": 1}\n')
    assert values(path) == ["malformed JSON", {"a": 1}]


def test_the_error_for_a_malformed_list_has_the_position(path: Path):
    path.write_text(json.dumps(ROWS, indent=1)[:-1])
    assert error_message(path).startswith(
        "begins as a JSON list, but is malformed: Expecting ',' delimiter at character "
    )


def test_the_error_for_one_object_over_several_lines_says_what_to_do(path: Path):
    path.write_text(json.dumps({"rows": ROWS}, indent=1))
    assert error_message(path) == (
        "one JSON object over several lines; give a JSON list of problems, or put one object on each line"
    )


def test_a_malformed_first_line_spoils_only_itself(path: Path):
    path.write_text('{"a": \n{"a": 1}\n')
    assert values(path) == ["malformed JSON", {"a": 1}]


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (gzip.compress(LINES.encode(), mtime=0), "this is a gzip file: unpack it first"),
        (b"PK\x03\x04...", "this is a zip file or a spreadsheet: save its rows as JSON Lines"),
        (b"PAR1...", "this is a Parquet file: save its rows as JSON Lines"),
    ],
)
def test_the_error_for_a_binary_file_says_its_format(path: Path, content: bytes, advice: str):
    path.write_bytes(content)
    assert error_message(path) == advice


def test_a_path_that_is_not_a_file_gives_a_one_line_error(path: Path):
    assert error_message(path) == "no such file or directory; fix it"
    path.mkdir()
    assert error_message(path) == "is a directory; fix it"
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    assert error_message(pipe) == "not a regular file; fix it"
