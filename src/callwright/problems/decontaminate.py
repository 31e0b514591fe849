"""Keep test questions out of training."""

import re
import unicodedata
from collections.abc import Container, Iterator, Sequence
from functools import lru_cache
from itertools import groupby, pairwise

from callwright.problems.source import DroppedRow
from callwright.records import SYNTHETIC, Problem

SAME_QUESTION = "same question as in test"
SHARED_WORDS = "shares a run of words with a test question"
SEEN_BY_BASE = "test question that the embedded student read when it was built"

_TOKEN = re.compile(r"\d+(?:\.\d+)?|[^\W_]+|\S")
_OPERATORS = frozenset("-*/")  # punctuation to Unicode, but part of the question before a number
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_MAX_COMBINING_MARKS = 30  # as in Unicode's Stream-Safe Text Format (UAX 15, section 13)
_APOSTROPHES = re.compile("['’]")


def normalise(text: str) -> str:
    """The words, numbers and symbols of a text, separated by single spaces; case and punctuation are ignored.

    Brackets are punctuation too, so formulas that differ only in brackets become equal.

    >>> normalise("Sam’s bag — it weighs 1,200.50 kg!")
    'sams bag it weighs 1200.50 kg'
    >>> normalise("What is  3-5?") == normalise("what is 3 - 5"), normalise("3 + 5") == normalise("3 - 5")
    (True, False)
    """
    text = _limit_combining_marks(text)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    plain = _APOSTROPHES.sub("", _THOUSANDS.sub("", folded))
    tokens = _TOKEN.findall(plain)
    return " ".join(token for token, following in pairwise([*tokens, ""]) if _is_significant(token, following))


def _limit_combining_marks(text: str) -> str:
    """The text with at most _MAX_COMBINING_MARKS combining marks (accents) in succession.

    Unicode's normal forms sort n successive marks in a time proportional to n squared.
    """
    if text.isascii():
        return text
    runs = ((is_mark, "".join(run)) for is_mark, run in groupby(text, _is_combining_mark))
    return "".join(run[:_MAX_COMBINING_MARKS] if is_mark else run for is_mark, run in runs)


@lru_cache(maxsize=10_000)
def _is_combining_mark(character: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) > 0


def _is_significant(token: str, following: str) -> bool:
    if token in _OPERATORS:
        return following[:1].isdigit()
    return token == "%" or unicodedata.category(token[0])[0] not in "PC"


def drop_seen(problems: Sequence[Problem], seen_questions: Container[str]) -> tuple[list[Problem], list[DroppedRow]]:
    """Remove test problems whose question the base has read; returns the problems to keep, in order, and the others."""
    is_seen = [problem.split == "test" and problem.question in seen_questions for problem in problems]
    kept = [problem for problem, seen in zip(problems, is_seen, strict=True) if not seen]
    return kept, [DroppedRow(problem.id, SEEN_BY_BASE) for problem, seen in zip(problems, is_seen, strict=True) if seen]


def decontaminate(
    train: Sequence[Problem], test: Sequence[Problem], ngram_size: int | None = 13
) -> tuple[list[Problem], list[DroppedRow]]:
    """Remove training problems that repeat a test question or share an n-gram of words with one.

    Questions are compared after `normalise`. Synthetic problems (source "synthetic") are only compared as whole
    questions, since templates share words by design.

    Args:
        train: problems of any split but test.
        ngram_size: words, at least 1; None: compare whole questions only.

    Returns:
        The problems to keep, in order, and the dropped ones (by id), each with the id of the test problem it repeats.

    Raises:
        ValueError: ngram_size is less than 1.

    Source: 13-gram overlap as in Brown et al., 2020, appendix C.
    """
    if ngram_size is not None and ngram_size < 1:
        raise ValueError(f"ngram_size is {ngram_size}; it must be at least 1")
    id_by_question: dict[str, str] = {}  # the first test problem with the normalised question
    id_by_ngram: dict[str, str] = {}
    for problem in test:
        question = normalise(problem.question)
        id_by_question.setdefault(question, problem.id)
        for ngram in _ngrams(question, problem, ngram_size):
            id_by_ngram.setdefault(ngram, problem.id)
    kept, dropped = [], []
    for problem in train:
        question = normalise(problem.question)
        same_id = id_by_question.get(question)
        sharing_ids = (id_by_ngram[ngram] for ngram in _ngrams(question, problem, ngram_size) if ngram in id_by_ngram)
        if same_id is not None:
            dropped.append(DroppedRow(problem.id, SAME_QUESTION, same_id))
        elif (sharing_id := next(sharing_ids, None)) is not None:
            dropped.append(DroppedRow(problem.id, SHARED_WORDS, sharing_id))
        else:
            kept.append(problem)
    return kept, dropped


def _ngrams(question: str, problem: Problem, length: int | None) -> Iterator[str]:
    """The n-grams of a normalised question; none for a synthetic problem."""
    if length is None or problem.source == SYNTHETIC:
        return
    words = question.split()
    for start in range(len(words) - length + 1):
        yield " ".join(words[start : start + length])
