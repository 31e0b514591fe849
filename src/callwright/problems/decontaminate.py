"""Keep test questions out of training."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby, pairwise

from callwright.problems.source import DroppedRow
from callwright.records import Problem
from callwright.tasks.synthetic import SOURCE as SYNTHETIC

SAME_QUESTION = "same question as in test"
SHARED_WORDS = "shares a run of words with a test question"

_TOKEN = re.compile(r"\d+(?:\.\d+)?|[^\W_]+|\S")
_OPERATORS = frozenset("-*/")  # punctuation to Unicode, but part of the question before a number
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_MAX_COMBINING_MARKS = 30  # as in Unicode's Stream-Safe Text Format (UAX 15, section 13)
_APOSTROPHES = re.compile("['’]")


def normalise(text: str) -> str:
    """The words, numbers and symbols of a text, one space between them; case and punctuation do not count.

    Brackets are punctuation too, so formulas that differ by brackets alone are the same here.

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
    """The text with at most _MAX_COMBINING_MARKS marks (accents) after a letter.

    To sort n marks, as Unicode's normal forms do, takes time proportional to n squared.
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


def decontaminate(
    train: Sequence[Problem], test: Sequence[Problem], ngram_size: int | None = 13
) -> tuple[list[Problem], list[DroppedRow]]:
    """Training problems that reveal no test question, and those left out (by id), in order.

    A problem leaves when its normalised question is a test question, or when it shares `ngram` words in a row with one;
    the latter counts between natural texts alone (source not "synthetic"), since templates share words by design.

    Args:
        train: problems of any splits but test.
        ngram: words in a row, at least 1; None where shared passages are meant: then only whole questions count.

    Returns:
        The problems that stay, and those that leave, each with the id of a test problem that it gives away.

    Raises:
        ValueError: ngram is less than 1.

    Source: 13-gram overlap as in Brown et al., 2020, appendix C.
    """
    if ngram_size is not None and ngram_size < 1:
        raise ValueError(f"ngram is {ngram_size}; it must be at least 1")
    questions: dict[str, str] = {}  # normalised, to the id of the first test problem that asks it
    runs: dict[str, str] = {}
    for problem in test:
        question = normalise(problem.question)
        questions.setdefault(question, problem.id)
        for run in _ngrams(question, problem, ngram_size):
            runs.setdefault(run, problem.id)
    kept, dropped = [], []
    for problem in train:
        question = normalise(problem.question)
        same_question = questions.get(question)
        shared_runs = (runs[run] for run in _ngrams(question, problem, ngram_size) if run in runs)
        if same_question is not None:
            dropped.append(DroppedRow(problem.id, SAME_QUESTION, same_question))
        elif (shared := next(shared_runs, None)) is not None:
            dropped.append(DroppedRow(problem.id, SHARED_WORDS, shared))
        else:
            kept.append(problem)
    return kept, dropped


def _ngrams(question: str, problem: Problem, length: int | None) -> Iterator[str]:
    """All runs of words of a natural problem's normalised question."""
    if length is None or problem.source == SYNTHETIC:
        return
    words = question.split()
    for start in range(len(words) - length + 1):
        yield " ".join(words[start : start + length])
