"""Synthetic problems of words: two families, one of them held out."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from callwright.records import Call, Problem, Split
from callwright.tasks.parts import SyntheticProblems
from callwright.tasks.synthetic import SOURCE, Pool, draw_from_families

SYLLABLES = [
    "ba",
    "be",
    "bi",
    "bo",
    "bu",
    "da",
    "de",
    "di",
    "do",
    "du",
    "ga",
    "ge",
    "gi",
    "go",
    "gu",
    "ka",
    "ke",
    "ki",
    "ko",
    "ku",
]


@dataclass(frozen=True)
class Family:
    name: str
    question: str
    held_out: bool = False


FAMILIES = (
    Family("joined", "Write {left} and {right} as one word, backwards. {person} likes {left}. {friend} likes {right}."),
    Family("turned", "Which word is {left}{right} backwards? {person} asks {friend}.", held_out=True),
)


def draw(family: Family, _drawn_before: int, rng: Random, pool: Pool) -> Problem:
    numbers = rng.sample(range(len(SYLLABLES)), 2)
    while not pool.contains(family.name, numbers):
        numbers = rng.sample(range(len(SYLLABLES)), 2)
    left, right = (SYLLABLES[number] for number in numbers)
    person, friend = rng.sample(pool.people, 2)
    joined, turned = left + right, (left + right)[::-1]
    calls = [
        Call("join", {"left": left, "right": right}),
        Call("turn", {"word": joined}),
        Call("answer", {"value": turned}),
    ]
    return Problem(
        id="",
        task="words",
        question=family.question.format(left=left, right=right, person=person.name, friend=friend.name),
        answer=turned,
        solution=tuple(calls if family.name == "joined" else calls[1:]),
        source=SOURCE,
        group=family.name,
        split=pool.split,
    )


def _generate(counts: Mapping[Split, int], held_out_test: int, seed: int) -> list[Problem]:
    return draw_from_families(FAMILIES, draw, counts, held_out_test, seed, f"{SOURCE}/words")


SYNTHETIC = SyntheticProblems(_generate)
