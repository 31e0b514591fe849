"""A family of word problems: a composition of clauses, as a story with its numbers, its gold chain and its wordings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from callwright.tasks.arithmetic.synthetic.clause import END, START, Clause, DrawnClause, Exact
from callwright.tasks.arithmetic.synthetic.words import draw_words
from callwright.tasks.people import Person

MAX_WORDS = 48  # of a question
DISTRACTION_SHARE = 0.25  # of the problems with a fact that is not needed
FACT_AFTER_ITS_CLAUSE_SHARE = 0.5  # of facts; the others are anywhere in the story

DISTRACTING_FACTS: Mapping[str, Sequence[int]] = {
    "{name} is {unneeded} years old.": range(6, 70),
    "One {unused_item} costs {unneeded} dollars.": range(3, 25),
    "One {unused_thing} costs {unneeded} dollars.": range(20, 400),
    "The house of {name} has {unneeded} rooms.": range(3, 13),
}
"""Sentence -> the values that its number may have."""


@dataclass(frozen=True, eq=False)
class ArithmeticFamily:
    """Stories made of the same clauses.

    Attributes:
        name: the names of the clauses, such as "boxes+lose+share".
        held_out: whether the family occurs in the test split only.

    Raises:
        ValueError: a clause does not fit the quantity that the clause before it leaves.
    """

    name: str
    clauses: tuple[Clause, ...]
    held_out: bool = False

    def __post_init__(self) -> None:
        kinds = (START, *(clause.gives for clause in self.clauses))
        if END in kinds[:-1] or any(kind != clause.takes for kind, clause in zip(kinds, self.clauses, strict=False)):
            raise ValueError(f"{self.name}: the clauses do not fit together")

    def draw_story(self, rng: Random) -> tuple[DrawnClause, ...] | None:
        """The clauses with their numbers; None if a clause has no fitting numbers."""
        story: list[DrawnClause] = []
        quantity: Exact = 0
        used: set[Exact] = set[Exact]().union(*(clause.constants for clause in self.clauses))
        for clause in self.clauses:
            drawn = clause.draw(quantity, used, rng)
            if drawn is None:
                return None
            story.append(drawn)
            quantity, used = drawn.quantity, used | drawn.used
        return tuple(story)


def tell(story: Sequence[DrawnClause], person: Person, rng: Random) -> str | None:
    """A story's question in one of its wordings; None if it has more than MAX_WORDS words.

    Events are in the order of the clauses, facts anywhere, and the question is last.
    """
    words = {**draw_words(rng), "name": person.name}
    sentences: list[str] = []
    facts: list[str] = []
    the = "the"
    for drawn in story:
        event, *of_event = rng.choice(drawn.clause.wordings).split(" *")
        slots = {**words, **drawn.numbers, "the": the, "The": the.capitalize()}
        sentences.append(event.format(**slots))
        for fact in of_event:
            after_clause = rng.random() < FACT_AFTER_ITS_CLAUSE_SHARE
            (sentences if after_clause else facts).append(fact.format(**slots))
        the = drawn.clause.leaves
    if rng.random() < DISTRACTION_SHARE:
        facts.append(_distracting_fact(story, words, rng))
    for fact in facts:
        sentences.insert(rng.randrange(len(sentences) + 1), fact)
    sentences.append(rng.choice(story[-1].clause.questions).format(**words))
    question = _name_person(" ".join(sentences), person)
    return question if len(question.split()) <= MAX_WORDS else None


def _distracting_fact(story: Sequence[DrawnClause], words: Mapping[str, str], rng: Random) -> str:
    used = set[Exact]().union(*(drawn.used for drawn in story))
    fact = rng.choice(tuple(DISTRACTING_FACTS))
    number = rng.choice([number for number in DISTRACTING_FACTS[fact] if number not in used])
    return fact.format(**words, unneeded=number)


def _name_person(text: str, person: Person) -> str:
    """The text with the person's name for the first "@", and a pronoun for each further one."""
    text = text.replace("@", person.name, 1)
    return text.replace(". @", f". {person.they.capitalize()}").replace("@", person.they)
