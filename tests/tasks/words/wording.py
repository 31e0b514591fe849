"""Other wordings of words: the last two sentences may change places."""

from random import Random

from callwright.records import Problem
from callwright.tasks.parts import TaskWording
from callwright.tasks.wording import shuffle_sentences, split_sentences


def _reorder(problem: Problem, rng: Random) -> str | None:
    task, *likes = split_sentences(problem.question)
    shuffled = shuffle_sentences(likes, rng)
    return " ".join((task, *shuffled)) if shuffled else None


WORDING = TaskWording(reorder_sentences=_reorder)
