"""Which questions the embedded student read while it was built: hashes that ship with it.

The file has 8 bytes a question, sorted, and nothing else. The hash of a question that was not read is among n hashes
with a probability of n / 2^64.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from callwright.errors import DataError
from callwright.params.address import EMBEDDED
from callwright.problems.decontaminate import normalise
from callwright.standins.embedded.shipped_files import SHIPPED, checked_file
from callwright.storage.files import read_bytes, replacing

SEEN_QUESTIONS_FILE = "seen_questions.bin"
HASH_BYTES = 8


def question_hash(question: str) -> bytes:
    """The first 8 bytes of SHA-256 over the normalised question; case, punctuation and brackets do not count.

    >>> question_hash("What is 2 plus 3?").hex()
    '4d204eebbd1ec875'
    """
    return hashlib.sha256(normalise(question).encode()).digest()[:HASH_BYTES]


def write_seen_questions(path: Path, hashes: Iterable[bytes]) -> int:
    """Write hashes of questions, sorted and without repetitions; returns their number.

    Raises:
        DataError: the file cannot be written.
        ValueError: a hash does not have HASH_BYTES bytes.
    """
    distinct = sorted(set(hashes))
    if any(len(value) != HASH_BYTES for value in distinct):
        raise ValueError(f"a hash of a question has to have {HASH_BYTES} bytes")
    with replacing(path) as file:
        file.write(b"".join(distinct))
    return len(distinct)


@dataclass(frozen=True, slots=True)
class SeenQuestions:
    """The questions that a student has read; `question in seen` asks for one."""

    hashes: frozenset[bytes]

    def __contains__(self, question: object) -> bool:
        return isinstance(question, str) and question_hash(question) in self.hashes

    def __len__(self) -> int:
        return len(self.hashes)


def read_seen_questions(path: Path) -> SeenQuestions:
    """The questions whose hashes a file lists.

    Raises:
        DataError: the file is missing, unreadable or cut off.
    """
    content = read_bytes(path)
    if len(content) % HASH_BYTES:
        raise DataError(f"{path} is damaged: its {len(content):,} bytes are no multiple of {HASH_BYTES}")
    return SeenQuestions(frozenset(content[start : start + HASH_BYTES] for start in range(0, len(content), HASH_BYTES)))


def read_questions_of_base(source: str, shipped: Path = SHIPPED) -> SeenQuestions:
    """The questions that the base has read while it was built; none are known of another base than the embedded one.

    Args:
        source: `student.source` in params.yaml.

    Raises:
        DataError: the file is missing, or its size or hash is not that in the recipe.
    """
    if source != EMBEDDED:
        return SeenQuestions(frozenset())
    return read_seen_questions(checked_file(shipped, SEEN_QUESTIONS_FILE))
