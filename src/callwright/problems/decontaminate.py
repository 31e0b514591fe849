"""Keep test questions out of training."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from callwright.problems.source import LeftOut
from callwright.problems.synthetic import SOURCE as SYNTHETIC
from callwright.records import Problem

SAME_QUESTION = "same question as in test"
SHARED_WORDS = "shares a run of words with a test question"

_TOKEN = re.compile(r"\d+(?:\.\d+)?|[^\W_]+|\S")
_OPERATORS = frozenset("-*/")  # punctuation to Unicode, but part of the question before a number
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_APOSTROPHES = re.compile("['’]")


def normalise(text: str) -> str:
    """The words, numbers and symbols of a text, one space between them; case and punctuation do not count.

    Brackets are punctuation too, so formulas that differ by brackets alone are the same here.

    >>> normalise("Sam’s bag — it weighs 1,200.50 kg!")
    'sams bag it weighs 1200.50 kg'
    >>> normalise("What is  3-5?") == normalise("what is 3 - 5"), normalise("3 + 5") == normalise("3 - 5")
    (True, False)
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    plain = _APOSTROPHES.sub("", _THOUSANDS.sub("", folded))
    tokens = _TOKEN.findall(plain)
    return " ".join(token for token, following in pairwise([*tokens, ""]) if _counts(token, following))


def _counts(token: str, following: str) -> bool:
    if token in _OPERATORS:
        return following[:1].isdigit()
    return token == "%" or unicodedata.category(token[0])[0] not in "PC"


def decontaminate(
    train: Sequence[Problem], test: Sequence[Problem], ngram: int = 13
) -> tuple[list[Problem], list[LeftOut]]:
    """Training problems that give no test question away, and those left out (by id), in order.

    A problem leaves when its normalised question is a test question, or when it shares `ngram` words in a row with one;
    the latter counts between natural texts alone (source not "synthetic"), since templates share words by design.

    Args:
        train: problems of any splits but test.
        ngram: words in a row; at least 1.

    Raises:
        ValueError: ngram is less than 1.

    Source: 13-gram overlap as in Brown et al., 2020, appendix C.
    """
    if ngram < 1:
        raise ValueError(f"ngram is {ngram}; it must be at least 1")
    questions = {normalise(problem.question) for problem in test}
    runs = {run for problem in test if problem.source != SYNTHETIC for run in _runs(normalise(problem.question), ngram)}
    kept, left_out = [], []
    for problem in train:
        question = normalise(problem.question)
        if question in questions:
            left_out.append(LeftOut(problem.id, SAME_QUESTION))
        elif problem.source != SYNTHETIC and not runs.isdisjoint(_runs(question, ngram)):
            left_out.append(LeftOut(problem.id, SHARED_WORDS))
        else:
            kept.append(problem)
    return kept, left_out


def _runs(question: str, length: int) -> set[str]:
    words = question.split()
    return {" ".join(words[start : start + length]) for start in range(len(words) - length + 1)}
