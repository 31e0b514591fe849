"""Shared by the synthetic problems of all tasks: people, pools that separate the splits, drawing from families."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import product
from random import Random
from typing import Protocol, TypeVar

from callwright.errors import DataError
from callwright.records import SYNTHETIC, Problem, Split


@dataclass(frozen=True, slots=True)
class Person:
    """A name with its pronouns.

    Attributes:
        they: "she" or "he".
        their: "her" or "his".
    """

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
    """People with made-up names.

    There are many, because a model trained on a few dozen names copies numbers badly next to an unseen name.
    """
    used_names = {person.name for person in (*TRAIN_PEOPLE, *DEV_PEOPLE, *TEST_PEOPLE)}
    all_names = (onset + middle + end for onset, middle, end in product(*map(str.split, (_ONSETS, _MIDDLES, _ENDS))))
    names = Random("names").sample([name for name in all_names if name not in used_names], count)
    return _make_people(" ".join(names[::2]), " ".join(names[1::2]))


LESSON_PEOPLE = _invent_people(2_000)

SOURCE = SYNTHETIC
BUCKET_COUNT = 100
MAX_REPEATED_DRAWS = 1_000  # in a row, of questions that were drawn before


@dataclass(frozen=True, slots=True)
class Pool:
    """The people and numbers of one set of problems. Each of them is in one pool only.

    Attributes:
        split: of the problems.
        people: who may occur.
        buckets: the buckets (of BUCKET_COUNT) whose combinations of numbers may occur.
        held_out: whether held-out families may occur: in the test split, and in the embedded student's lessons.
    """

    split: Split
    people: tuple[Person, ...]
    buckets: range
    held_out: bool = False

    def contains(self, family: str, numbers: Iterable[int]) -> bool:
        """Whether these numbers of a family, in any order, belong to this pool."""
        return hash_to_bucket(family, numbers) in self.buckets

    def check(self, family: "SyntheticFamily") -> None:
        """Check that problems of the family may be drawn from this pool.

        Raises:
            ValueError: the family is held out from the pool.
        """
        if family.held_out and not self.held_out:
            raise ValueError(f"{family.name} is held out from the {self.split} split")


def hash_to_bucket(family: str, numbers: Iterable[int]) -> int:
    """The bucket of a family's numbers, below BUCKET_COUNT: the same in any order and on any machine."""
    text = f"{family}:{','.join(map(str, sorted(numbers)))}"
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") % BUCKET_COUNT


POOLS: dict[str, Pool] = {
    "train": Pool("train", TRAIN_PEOPLE, range(45)),
    "dev": Pool("dev", DEV_PEOPLE, range(45, 52)),
    "test": Pool("test", TEST_PEOPLE, range(52, 65), held_out=True),
    "lessons": Pool("train", LESSON_PEOPLE, range(65, BUCKET_COUNT), held_out=True),
}


class SyntheticFamily(Protocol):
    """A family of problems, of any task."""

    @property
    def name(self) -> str: ...
    @property
    def held_out(self) -> bool:
        """Whether the family occurs in the test split only."""


FamilyT = TypeVar("FamilyT", bound=SyntheticFamily)
DrawProblem = Callable[[FamilyT, int, Random, Pool], Problem]
"""Draw a problem without id: (family, number of problems drawn from it before, random numbers, pool) -> problem."""


def draw_from_families(
    families: Sequence[FamilyT],
    draw: DrawProblem[FamilyT],
    counts: Mapping[Split, int],
    held_out_test: int,
    seed: int,
    prefix: str,
) -> list[Problem]:
    """Draw problems from the families round-robin; no question occurs twice in a split.

    Each family has its own stream of random numbers, so a larger count adds problems and does not change the others.

    Args:
        counts: split -> number of problems of the seen families; none for a missing split.
        held_out_test: number of further test problems, from the held-out families.
        seed: the same seed gives the same problems on any machine.
        prefix: of the ids.

    Returns:
        problems with ids like "<prefix>/train/000123".

    Raises:
        DataError: a family has no more distinct questions.
    """
    seen = [family for family in families if not family.held_out]
    held_out = [family for family in families if family.held_out]
    drawn: dict[Split, list[Problem]] = {
        split: _draw_round_robin(seen, draw, count, POOLS[split], seed) for split, count in counts.items()
    }
    drawn.setdefault("test", []).extend(_draw_round_robin(held_out, draw, held_out_test, POOLS["test"], seed))
    return [
        replace(problem, id=f"{prefix}/{split}/{index:06d}")
        for split, problems in drawn.items()
        for index, problem in enumerate(problems)
    ]


def _draw_round_robin(
    families: Sequence[FamilyT], draw: DrawProblem[FamilyT], count: int, pool: Pool, seed: int
) -> list[Problem]:
    streams = [Random(f"{seed}/{pool.split}/{family.name}") for family in families]
    questions: set[str] = set()
    problems = []
    for index in range(count):
        drawn_before, family_index = divmod(index, len(families))
        family, stream = families[family_index], streams[family_index]
        problem = _draw_new_question(family, draw, drawn_before, stream, pool, questions)
        questions.add(problem.question)
        problems.append(problem)
    return problems


def _draw_new_question(
    family: FamilyT, draw: DrawProblem[FamilyT], drawn_before: int, rng: Random, pool: Pool, questions: set[str]
) -> Problem:
    for _ in range(MAX_REPEATED_DRAWS):
        problem = draw(family, drawn_before, rng, pool)
        if problem.question not in questions:
            return problem
    raise DataError(f"family {family.name}: no more distinct questions for the {pool.split} split; lower its count")
