"""Change the wording of a question without changing its answer: new names, and another order of its sentences."""

import re
from collections.abc import Mapping, Sequence
from random import Random

from callwright.records import Problem

WORD = re.compile(r"[A-Za-z]+")
_SENTENCE_END = re.compile(r"(?<=[.!?]) +(?=[A-Z])")


def draw_new_names(problem: Problem, candidates: Mapping[str, Sequence[str]], rng: Random) -> dict[str, str] | None:
    """Another name for each known name in the question, each a different one.

    Args:
        candidates: known name -> the names that may replace it.

    Returns:
        name -> new name; None if the question has no known name, a name in it must not change because the answer or
        the vocabulary contains it, or the candidates do not suffice.
    """
    words = WORD.findall(problem.question)
    names = [word for word in dict.fromkeys(words) if word in candidates]
    lower = {word for word in words if word.islower()}
    if not names or any(name.lower() in problem.answer.lower() or name.lower() in lower for name in names):
        return None
    used = set(words)
    new_names = dict[str, str]()
    for name in names:
        unused = [candidate for candidate in candidates[name] if candidate not in used]
        if not unused:
            return None
        new_names[name] = rng.choice(unused)
        used.add(new_names[name])
    return new_names


def replace_words(text: str, replacements: Mapping[str, str]) -> str:
    """The text with words replaced, all at once.

    >>> replace_words("Ann likes Ben.", {"Ann": "Ben", "Ben": "Ann"})
    'Ben likes Ann.'
    """
    return WORD.sub(lambda match: replacements.get(match[0], match[0]), text)


def split_sentences(text: str) -> list[str]:
    """The sentences of a text: each ends with `.`, `!` or `?` before a space and a capital letter."""
    return _SENTENCE_END.split(text)


def shuffle_sentences(sentences: list[str], rng: Random) -> list[str] | None:
    """The sentences in another order; None if there is no other order."""
    if len(set(sentences)) < 2:
        return None
    while (shuffled := rng.sample(sentences, len(sentences))) == sentences:
        pass
    return shuffled
