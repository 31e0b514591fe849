"""Other wordings of entailment problems: other names, another order of the premises."""

import re
from random import Random

from callwright.records import Problem
from callwright.tasks.entailment.names import NAMES
from callwright.tasks.parts import TaskWording
from callwright.tasks.wording import draw_new_names, replace_words, shuffle_sentences, split_sentences

_PREMISES_AND_STATEMENT = re.compile(r"Premises: (.+) Statement: (.+)", re.DOTALL)
_REFERRING_FIRST_WORDS = frozenset(("He", "She", "It", "They", "This", "That", "These", "Those"))


def replace_names(problem: Problem, rng: Random) -> str | None:
    """The question with other names from the synthetic problems; None if no name may change.

    These names have no gender, so pronouns stay as they are.
    """
    new_names = draw_new_names(problem, dict.fromkeys(NAMES, NAMES), rng)
    return None if new_names is None else replace_words(problem.question, new_names)


def reorder_premises(problem: Problem, rng: Random) -> str | None:
    """The question with its premises in another order, which does not matter for what follows; None if not possible.

    If the gold chain assumes another number of premises, the sentences were split wrongly, and nothing is reordered.
    """
    match = _PREMISES_AND_STATEMENT.fullmatch(problem.question)
    if match is None:
        return None
    premises = split_sentences(match[1])
    if len(premises) != sum(call.name == "assume" for call in problem.solution):
        return None
    if any(premise.split()[0] in _REFERRING_FIRST_WORDS for premise in premises):
        return None
    shuffled = shuffle_sentences(premises, rng)
    return f"Premises: {' '.join(shuffled)} Statement: {match[2]}" if shuffled else None


WORDING = TaskWording(replace_names, reorder_premises)
