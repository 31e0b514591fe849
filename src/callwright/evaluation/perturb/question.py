"""Rephrase a question without changing its answer: other people, another order of the sentences.

A task may have its own way, in its part `wording` (`callwright.tasks.parts.TaskWording`). English is not parsed: a
question is left alone if its meaning might change (docs/evaluation.md says when).
"""

import re
from collections.abc import Callable
from random import Random

from callwright.records import SYNTHETIC, Problem
from callwright.tasks.people import DEV_PEOPLE, TEST_PEOPLE, TRAIN_PEOPLE
from callwright.tasks.task import Task
from callwright.tasks.wording import WORD, draw_new_names, replace_words

QuestionPerturbation = Callable[[Problem, Task, Random], str | None]

_PRONOUNS = {person.name: person.they for person in (*TRAIN_PEOPLE, *DEV_PEOPLE, *TEST_PEOPLE)}
_NEW_NAMES = {they: [person.name for person in TEST_PEOPLE if person.they == they] for they in ("she", "he")}
_OPPOSITE_PRONOUN = {"she": "he", "he": "she", "her": "his", "his": "her"}
_OPPOSITE_PRONOUN_AT_START = {
    pronoun.capitalize(): opposite.capitalize() for pronoun, opposite in _OPPOSITE_PRONOUN.items()
}
# Words for which no rule gives the sentence of the other gender: "her" may become "his" or "him".
_AMBIGUOUS_GENDER_WORDS = re.compile(
    r"\b(?:him|hers|himself|herself|her(?! [a-z]{3,})|her (?:and|for|the|from|with|then)|his(?=[.,;?!])|"
    r"boy|girl|man|men|woman|women|lady|wife|husband|mother|father|sister|brother|daughter|son|uncle|aunt|Mrs?|Ms)s?\b"
)


def replace_names(problem: Problem, task: Task, rng: Random) -> str | None:
    """The question with other names; None if no name may change."""
    wording = task.part("wording")
    replace = wording.replace_names if wording else None
    return (replace or _replace_people)(problem, rng)


def reorder_sentences(problem: Problem, task: Task, rng: Random) -> str | None:
    """The question with its sentences in another order; None if that might change its meaning."""
    wording = task.part("wording")
    reorder = wording.reorder_sentences if wording else None
    return reorder(problem, rng) if reorder else None


def _replace_people(problem: Problem, rng: Random) -> str | None:
    """The question with people of the other gender if all pronouns can follow, else with people of the same gender."""
    pronouns = _OPPOSITE_PRONOUN.keys() & {word.lower() for word in WORD.findall(problem.question)}
    # In other sources a pronoun may refer to a person whose name is not in the lists, and must stay.
    owner_is_known = problem.source == SYNTHETIC or not pronouns
    swap_gender = owner_is_known and not _AMBIGUOUS_GENDER_WORDS.search(problem.question)
    candidates = {
        name: _NEW_NAMES[_OPPOSITE_PRONOUN[they] if swap_gender else they] for name, they in _PRONOUNS.items()
    }
    replacements = draw_new_names(problem, candidates, rng)
    if replacements is None:
        return None
    if swap_gender:
        replacements |= _OPPOSITE_PRONOUN | _OPPOSITE_PRONOUN_AT_START
    return replace_words(problem.question, replacements)
