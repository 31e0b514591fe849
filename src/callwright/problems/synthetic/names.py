"""People, with their pronouns. No name occurs in two pools, and none is also an everyday word."""

from dataclasses import dataclass


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
DEMONSTRATIONS = _people(
    she="Agnes Bianca Celia Delia Esther Frida Gloria Ida Katya Lydia Molly Sonia",
    he="Andre Bruno Conrad Dario Edgar Fabio Gustav Harold Igor Kevin Martin Robert",
)
