"""The people of synthetic problems and of the evaluation's changed questions: first names with their pronouns."""

from dataclasses import dataclass
from itertools import product
from random import Random


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
