"""What the synthetic problems of every task share: people, pools that keep the splits apart, a spread over families."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import product
from random import Random
from typing import Protocol, TypeVar

from callwright.errors import DataError
from callwright.records import Problem, Split


@dataclass(frozen=True, slots=True)
class Person:
    """A name with its pronouns: "she", "her" (whose)."""

    name: str
    they: str
    their: str


def _make_people(she: str, he: str) -> tuple[Person, ...]:
    return (
        *(Person(name, "she", "her") for name in she.split()),
        *(Person(name, "he", "his") for name in he.split()),
    )


TRAIN_PEOPLE = _make_people(
    she="Anna Clara Diana Emma Fatima Hana Julia Laura Maria Nina Olga Paula Sara Tina",
    he="Adam Boris David Erik Felix Hugo Ivan Jonas Leo Marco Omar Paul Simon Tom",
)
DEV_PEOPLE = _make_people(
    she="Alma Carmen Edith Flora Gina Helen Irene Karin Lena Monica Nora Ruth Vera",
    he="Aldo Carl Dennis Emil Frank Gabriel Henry Jack Karl Luis Oscar Peter Rashid",
)
TEST_PEOPLE = _make_people(
    she="Alice Bella Cora Dora Elena Greta Ines Kate Lucy Mina Priya Rita Zoe",
    he="Ahmed Ben Cyrus Daniel Elias George Ian Kenji Lars Milo Noah Samuel Victor",
)
_ONSETS = "B D F G H J K L M N P R S T V Z Br Ch Dr Gr Kl Kr Ph Sh St Th Tr"
_MIDDLES = "a e i o u al an ar el en er il in is ol on or ul ur"
_ENDS = "ba da dia ka la lia ma na nia ra ria sa ta va bo do ko lo mo no ro so to"


def _invent_people(count: int) -> tuple[Person, ...]:
    """Many made-up names: a model that has met a few dozen only copies numbers badly beside one that it never met."""
    taken = {person.name for person in (*TRAIN_PEOPLE, *DEV_PEOPLE, *TEST_PEOPLE)}
    every = (onset + middle + end for onset, middle, end in product(*map(str.split, (_ONSETS, _MIDDLES, _ENDS))))
    names = Random("names").sample([name for name in every if name not in taken], count)
    return _make_people(" ".join(names[::2]), " ".join(names[1::2]))


LESSON_PEOPLE = _invent_people(2_000)


SOURCE = "synthetic"
BUCKET_COUNT = 100


@dataclass(frozen=True, slots=True)
class Pool:
    """What problems of one kind are drawn from.

    Attributes:
        split: the split its problems belong to.
        people: who may occur.
        numbers: the buckets (of BUCKET_COUNT) whose numbers may occur.
        held_out: whether the held-out families may occur: in the test, and in what the embedded base reads before.
    """

    split: Split
    people: tuple[Person, ...]
    numbers: range
    held_out: bool = False

    def contains(self, family: str, numbers: Iterable[int]) -> bool:
        """Whether these numbers, in any order, belong to this pool in this family."""
        return hash_to_bucket(family, numbers) in self.numbers


def hash_to_bucket(family: str, numbers: Iterable[int]) -> int:
    """Which of BUCKET_COUNT a family's numbers fall in: the same for any order, on any machine."""
    text = f"{family}:{','.join(map(str, sorted(numbers)))}"
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") % BUCKET_COUNT


POOLS: dict[str, Pool] = {
    "train": Pool("train", TRAIN_PEOPLE, range(45)),
    "dev": Pool("dev", DEV_PEOPLE, range(45, 52)),
    "test": Pool("test", TEST_PEOPLE, range(52, 65), held_out=True),
    "demonstrations": Pool("train", LESSON_PEOPLE, range(65, BUCKET_COUNT), held_out=True),
}


MAX_REPEATED_DRAWS = 1_000  # of questions that were drawn before, in a row


class SyntheticFamily(Protocol):
    """What every task's families have. `held_out`: of the splits, it occurs in the test alone."""

    @property
    def name(self) -> str: ...
    @property
    def held_out(self) -> bool: ...


FamilyT = TypeVar("FamilyT", bound=SyntheticFamily)
DrawProblem = Callable[[FamilyT, int, Random, Pool], Problem]
"""Draws a problem without id, given its family, how many of that family came before, random numbers and a pool."""


def spread(
    families: Sequence[FamilyT],
    draw: DrawProblem[FamilyT],
    counts: Mapping[Split, int],
    held_out_test: int,
    seed: int,
    prefix: str,
) -> list[Problem]:
    """Problems with ids like "<prefix>/train/000123", families in turn, no question of a split twice.

    Each family has its own stream of random numbers, so a larger count adds problems and changes none.

    Args:
        counts: problems of the seen families, by split; a split that is missing gets none.
        held_out_test: further test problems, of the held-out families.
        seed: the same seed gives the same problems on any machine.

    Raises:
        DataError: a family has no more distinct questions.
    """
    seen = [family for family in families if not family.held_out]
    held_out = [family for family in families if family.held_out]
    drawn: dict[Split, list[Problem]] = {
        split: _draw_in_turn(seen, draw, count, POOLS[split], seed) for split, count in counts.items()
    }
    drawn.setdefault("test", []).extend(_draw_in_turn(held_out, draw, held_out_test, POOLS["test"], seed))
    return [
        replace(problem, id=f"{prefix}/{split}/{place:06d}")
        for split, problems in drawn.items()
        for place, problem in enumerate(problems)
    ]


def _draw_in_turn(
    families: Sequence[FamilyT], draw: DrawProblem[FamilyT], count: int, pool: Pool, seed: int
) -> list[Problem]:
    streams = [Random(f"{seed}/{pool.split}/{family.name}") for family in families]
    questions: set[str] = set()
    problems = []
    for place in range(count):
        before, turn = divmod(place, len(families))
        problem = _draw_new_question(families[turn], draw, before, streams[turn], pool, questions)
        questions.add(problem.question)
        problems.append(problem)
    return problems


def _draw_new_question(
    family: FamilyT, draw: DrawProblem[FamilyT], before: int, rng: Random, pool: Pool, questions: set[str]
) -> Problem:
    for _ in range(MAX_REPEATED_DRAWS):
        problem = draw(family, before, rng, pool)
        if problem.question not in questions:
            return problem
    raise DataError(f"family {family.name}: no more distinct questions for the {pool.split} split; lower its count")
