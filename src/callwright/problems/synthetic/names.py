"""People, with their pronouns. No name occurs in two pools, and none is also an everyday word."""

from dataclasses import dataclass
from itertools import product
from random import Random


@dataclass(frozen=True, slots=True)
class Person:
    """A name with its pronouns: "she", "her" (whose)."""

    name: str
    they: str
    their: str


def _people(she: str, he: str) -> tuple[Person, ...]:
    return (
        *(Person(name, "she", "her") for name in she.split()),
        *(Person(name, "he", "his") for name in he.split()),
    )


TRAIN = _people(
    she="Anna Clara Diana Emma Fatima Hana Julia Laura Maria Nina Olga Paula Sara Tina",
    he="Adam Boris David Erik Felix Hugo Ivan Jonas Leo Marco Omar Paul Simon Tom",
)
DEV = _people(
    she="Alma Carmen Edith Flora Gina Helen Irene Karin Lena Monica Nora Ruth Vera",
    he="Aldo Carl Dennis Emil Frank Gabriel Henry Jack Karl Luis Oscar Peter Rashid",
)
TEST = _people(
    she="Alice Bella Cora Dora Elena Greta Ines Kate Lucy Mina Priya Rita Zoe",
    he="Ahmed Ben Cyrus Daniel Elias George Ian Kenji Lars Milo Noah Samuel Victor",
)
_ONSETS = "B D F G H J K L M N P R S T V Z Br Ch Dr Gr Kl Kr Ph Sh St Th Tr"
_MIDDLES = "a e i o u al an ar el en er il in is ol on or ul ur"
_ENDS = "ba da dia ka la lia ma na nia ra ria sa ta va bo do ko lo mo no ro so to"


def _invented(count: int) -> tuple[Person, ...]:
    """Many made-up names: a model that has met a few dozen only copies numbers badly beside one that it never met."""
    taken = {person.name for person in (*TRAIN, *DEV, *TEST)}
    every = (onset + middle + end for onset, middle, end in product(*map(str.split, (_ONSETS, _MIDDLES, _ENDS))))
    names = Random("names").sample([name for name in every if name not in taken], count)
    return _people(" ".join(names[::2]), " ".join(names[1::2]))


DEMONSTRATIONS = _invented(2_000)
