"""Pools keep the splits apart: nobody, and no family's numbers, occur in two of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from callwright.problems.synthetic import names
from callwright.problems.synthetic.names import Person
from callwright.records import Split

BUCKETS = 100


@dataclass(frozen=True, slots=True)
class Pool:
    """What problems of one kind are drawn from.

    Attributes:
        split: the split its problems belong to.
        people: who may occur.
        numbers: the buckets (of BUCKETS) whose numbers may occur.
        held_out: whether the held-out families may occur: in the test, and in what the embedded base reads before.
    """

    split: Split
    people: tuple[Person, ...]
    numbers: range
    held_out: bool = False

    def holds(self, family: str, numbers: Iterable[int]) -> bool:
        """Whether these numbers, in any order, belong to this pool in this family."""
        return bucket(family, numbers) in self.numbers


def bucket(family: str, numbers: Iterable[int]) -> int:
    """Which of BUCKETS a family's numbers fall in: the same for any order, on any machine."""
    text = f"{family}:{','.join(map(str, sorted(numbers)))}"
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") % BUCKETS


POOLS: dict[str, Pool] = {
    "train": Pool("train", names.TRAIN, range(45)),
    "dev": Pool("dev", names.DEV, range(45, 52)),
    "test": Pool("test", names.TEST, range(52, 65), held_out=True),
    "demonstrations": Pool("train", names.DEMONSTRATIONS, range(65, BUCKETS), held_out=True),
}
