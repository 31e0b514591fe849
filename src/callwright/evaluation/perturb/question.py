"""Questions told in another way that leaves the answer as it is: other people, another order of the sentences.

English is not parsed here: a question is left alone wherever its meaning might change (docs/evaluation.md says when).
"""

import re
from random import Random

from callwright.records import Problem
from callwright.tasks.entailment.synthetic.syllogisms import NAMES
from callwright.tasks.synthetic import DEV_PEOPLE, TEST_PEOPLE, TRAIN_PEOPLE, Person

_PEOPLE = {person.name: person for person in (*TRAIN_PEOPLE, *DEV_PEOPLE, *TEST_PEOPLE)}
_WORD = re.compile(r"[A-Za-z]+")
_OPPOSITE_PRONOUN = {"she": "he", "he": "she", "her": "his", "his": "her"}
# Words after which nobody can say by rule how the other gender's sentence goes: "her" may be "his" or "him".
_AMBIGUOUS_GENDER_WORDS = re.compile(
    r"\b(?:him|hers|himself|herself|her(?! [a-z]{3,})|her (?:and|for|the|from|with|then)|his(?=[.,;?!])|"
    r"boy|girl|man|men|woman|women|lady|wife|husband|mother|father|sister|brother|daughter|son|uncle|aunt|Mrs?|Ms)s?\b"
)
_SENTENCE_END = re.compile(r"(?<=[.!?]) +(?=[A-Z])")
_PREMISES_AND_STATEMENT = re.compile(r"Premises: (.+) Statement: (.+)", re.DOTALL)
_REFERRING_WORDS = frozenset(
    _WORD.findall(
        "he she it they him her his its their them this that these those then also too more other others another rest "
        "remaining same much many less fewer already now again after before later first next last finally the half "
        "twice"
    )
)
_REFERRING_FIRST_WORDS = frozenset(("He", "She", "It", "They", "This", "That", "These", "Those"))
# What is so all the time: the price of a thing, what a box holds. Where in a story it is told does not matter.
_TIMELESS_STATEMENT = re.compile(
    r"(?:(?:One|Each|Every|An?) [a-z ]*?(?:costs?|holds?|weighs?|contains?|has sides)|[A-Z][a-z]* costs?)\b"
)


def replace_names(problem: Problem, rng: Random) -> str | None:
    """The question with other names, of the other gender where every pronoun can follow; None without a known name."""
    known = dict.fromkeys(NAMES) if problem.task == "entailment" else _PEOPLE
    words = _WORD.findall(problem.question)
    named = [name for name in dict.fromkeys(words) if name in known]
    lower = {word for word in words if word.islower()}
    if not named or any(name.lower() in problem.answer.lower() or name.lower() in lower for name in named):
        return None  # a name that the answer or the vocabulary holds stays
    pronouns = _OPPOSITE_PRONOUN.keys() & {word.lower() for word in words}
    known_whose = problem.source == "synthetic" or not pronouns  # elsewhere perhaps a person's whose name is not known
    swap = known_whose and not _AMBIGUOUS_GENDER_WORDS.search(problem.question)
    taken, new = set(words), dict[str, str]()
    for name in named:
        fitting = [one for one in _replacement_names(known[name], swap) if one not in taken]
        if not fitting:
            return None
        new[name] = rng.choice(fitting)
        taken.add(new[name])
    if swap and problem.task != "entailment":
        new |= _OPPOSITE_PRONOUN | {old.capitalize(): other.capitalize() for old, other in _OPPOSITE_PRONOUN.items()}
    return _WORD.sub(lambda found: new.get(found[0], found[0]), problem.question)


def _replacement_names(person: Person | None, swap: bool) -> list[str]:
    """Names that may take a person's place; names of entailment problems have no gender."""
    if person is None:
        return list(NAMES)
    return [other.name for other in TEST_PEOPLE if (other.they != person.they) is swap]


def reorder_sentences(problem: Problem, rng: Random) -> str | None:
    """The question with its sentences in another order; None where that might change what it says."""
    if problem.task == "entailment":
        return _reorder_premises(problem, rng)
    if problem.task == "arithmetic":
        return _reorder_statements(problem, rng)
    return None


def _reorder_premises(problem: Problem, rng: Random) -> str | None:
    """Premises hold together, in any order. If the gold chain assumes another number, they were told apart wrongly."""
    found = _PREMISES_AND_STATEMENT.fullmatch(problem.question)
    if found is None:
        return None
    premises = _SENTENCE_END.split(found[1])
    if len(premises) != sum(call.name == "assume" for call in problem.solution):
        return None
    if any(premise.split()[0] in _REFERRING_FIRST_WORDS for premise in premises):
        return None
    other = _shuffle(premises, rng)
    return f"Premises: {' '.join(other)} Statement: {found[2]}" if other else None


def _reorder_statements(problem: Problem, rng: Random) -> str | None:
    """A story happens in its order; only facts may move, and only where no sentence points back to another."""
    *statements, asked = _SENTENCE_END.split(problem.question)
    if not asked.endswith("?") or any(one.endswith("?") or one[-2:-1].isdigit() for one in statements):
        return None
    if sum(_TIMELESS_STATEMENT.match(one) is None for one in statements) > 1:
        return None
    if any(_REFERRING_WORDS & {word.lower() for word in _WORD.findall(one)} for one in statements):
        return None
    other = _shuffle(statements, rng)
    return " ".join((*other, asked)) if other else None


def _shuffle(sentences: list[str], rng: Random) -> list[str] | None:
    """Another order; None where there is none."""
    if len(set(sentences)) < 2:
        return None
    while (other := rng.sample(sentences, len(sentences))) == sentences:
        pass
    return other
