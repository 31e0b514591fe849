"""Whatever a file is, its rows are read, or one line says what it is and what to do."""

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
    """The rows' values; of a broken row its reason."""
    return [row.value.reason if isinstance(row.value, RowError) else row.value for row in read_rows(path, "mend it")]


def error_message(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        list(read_rows(path, "mend it"))
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


def test_rows_know_their_place(path: Path):
    path.write_text('\n{"a": 1}\n\n  \n{"a": 2}')
    assert [(row.number, row.where) for row in read_rows(path, "")] == [(1, f"{path}:2"), (4, f"{path}:5")]
    path.write_text('[{"a": 1}, {"a": 2}]')
    assert [(row.number, row.where) for row in read_rows(path, "")] == [(0, f"{path}: row 0"), (1, f"{path}: row 1")]


def test_bytes_that_are_not_text_cost_their_line(path: Path):
    path.write_bytes(b'{"a": 1}\n{"a": "\xff"}\n{"a": "\xed\xa0\xbd"}\n{"a": 2}\n')
    assert values(path) == [{"a": 1}, "not UTF-8 text", "not UTF-8 text", {"a": 2}]


def test_a_utf_16_file_that_was_cut_loses_its_last_line(path: Path):
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


def test_a_first_line_that_is_a_list_does_not_make_the_file_one(path: Path):
    path.write_text('[1]\n{"a": 1}\n')
    assert values(path) == [[1], {"a": 1}]
    path.write_text('[[[\n{"a": 1}\n')
    assert values(path) == ["malformed JSON", {"a": 1}]


def test_a_broken_list_says_where_it_breaks(path: Path):
    path.write_text(json.dumps(ROWS, indent=1)[:-1])
    assert error_message(path).startswith(
        "begins as a JSON list, but is malformed: Expecting ',' delimiter at character "
    )


def test_one_object_over_several_lines_says_what_to_do(path: Path):
    path.write_text(json.dumps({"rows": ROWS}, indent=1))
    assert error_message(path) == (
        "one JSON object over several lines; give a JSON list of problems, or put one object on each line"
    )


def test_a_first_line_that_is_malformed_costs_itself(path: Path):
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
def test_a_file_that_is_no_text_is_named(path: Path, content: bytes, advice: str):
    path.write_bytes(content)
    assert error_message(path) == advice


def test_what_is_no_file_is_named(path: Path):
    assert error_message(path) == "no such file or directory; mend it"
    path.mkdir()
    assert error_message(path) == "is a directory; mend it"
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    assert error_message(pipe) == "not a regular file; mend it"
