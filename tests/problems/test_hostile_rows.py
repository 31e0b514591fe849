"""Hostile problem files: only a one-line error is raised, only bad rows are dropped, and reading is fast."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings

from callwright.errors import DataError
from tests.problems.hostile_rows import FRAGMENTS, ROWS, files, longest, read_and_check

pytestmark = pytest.mark.usefixtures("frozen_heap")  # the tests measure time

MAX_SECONDS = 2  # of processor time for one file; the slowest takes 0.15 s on an idle machine


@seed(13)
@settings(max_examples=2_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(file=files())
def test_a_hostile_file_causes_no_surprise(file: tuple[str, bytes], tmp_path: Path):
    source, content = file
    path = tmp_path / "rows.json"
    path.write_bytes(content)
    started = time.process_time()
    try:
        source_result = read_and_check(source, path)
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert source_result.surprises == []
    assert time.process_time() - started < MAX_SECONDS


@pytest.mark.parametrize(
    ("source", "field", "before", "after"),
    [
        ("jsonl", "question", "", ""),
        ("jsonl", "answer", "", ""),
        ("jsonl", "solution", "", ""),
        ("gsm8k", "answer", "", "\n#### 6"),
        ("gsm8k", "answer", "#### ", ""),
        ("folio", "conclusion", "", ""),
        ("folio", "conclusion-FOL", "", ""),
        ("proofwriter", "context", "", ""),
        ("proofwriter", "id", "", ""),
        ("proofwriter", "question", "is the following statement true, false, or unknown? ", ""),
    ],
)
def test_the_longest_text_is_read_in_linear_time(tmp_path: Path, source: str, field: str, before: str, after: str):
    path = tmp_path / "rows.json"
    for fragment in FRAGMENTS:
        text = before + longest(fragment)[len(before) + len(after) :] + after
        path.write_text(json.dumps([{**ROWS[source], field: [text] if field == "solution" else text}]))
        started = time.process_time()
        assert read_and_check(source, path).surprises == []
        assert time.process_time() - started < MAX_SECONDS, fragment


def test_the_good_rows_become_problems(tmp_path: Path):
    for source, row in ROWS.items():
        path = tmp_path / f"{source}.json"
        path.write_text(json.dumps([row]))
        assert read_and_check(source, path).dropped == []
