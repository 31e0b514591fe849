"""Hashes of the questions that the embedded student read while it was built."""

import hashlib
from pathlib import Path

import pytest

from callwright.errors import DataError
from callwright.standins.embedded.seen_questions import (
    SEEN_QUESTIONS_FILE,
    question_hash,
    read_seen_questions,
    write_seen_questions,
)


def test_a_hash_is_of_the_normalised_question_so_that_files_of_earlier_versions_stay_valid():
    assert question_hash("What is 2 plus 3?") == hashlib.sha256(b"what is 2 plus 3").digest()[:8]
    assert question_hash("what is 2 plus  3") == question_hash("What is 2 plus 3?")
    assert question_hash("What is 2 plus 4?") != question_hash("What is 2 plus 3?")


def test_what_was_written_is_read_and_other_questions_are_not_seen(tmp_path: Path):
    path = tmp_path / SEEN_QUESTIONS_FILE
    questions = ["What is 2 plus 3?", "What is 5 minus 1?", "what is 2 plus 3"]  # the last equals the first
    assert write_seen_questions(path, map(question_hash, questions)) == 2
    assert path.read_bytes() == b"".join(sorted(map(question_hash, questions[:2])))
    seen = read_seen_questions(path)
    assert len(seen) == 2
    assert [question in seen for question in (*questions, "What is 3 plus 2?")] == [True, True, True, False]


def test_a_file_that_was_cut_off_gives_one_line(tmp_path: Path):
    path = tmp_path / SEEN_QUESTIONS_FILE
    path.write_bytes(bytes(12))
    with pytest.raises(DataError, match=r"seen_questions\.bin is damaged: its 12 bytes are no multiple of 8$"):
        read_seen_questions(path)


def test_a_hash_of_another_length_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="has to have 8 bytes"):
        write_seen_questions(tmp_path / SEEN_QUESTIONS_FILE, [b"short"])
