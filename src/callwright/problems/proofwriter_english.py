"""The regular English of ProofWriter's theories, as formulas.

Three kinds of sentences: facts ("The cat does not chase the dog."), conditionals ("If someone is big and not red then
they chase the cat.") and rules over kinds ("All cold, blue people are kind."). Any names, adjectives and regular verbs
are understood; anything else is refused, never guessed.
"""

import re
from collections.abc import Sequence
from functools import reduce

from callwright.functions.formula import And, Atom, Constant, ForAll, Formula, Implies, Not, Term, Variable
from callwright.problems.source import RowError

MAX_SENTENCE_CHARACTERS = 500

_ANYTHING = Variable("x")

_SUBJECT = r"(?P<subject>(?i:something|someone|it|they|the [a-z]+(?: [a-z]+)?)|[A-Z][a-z]+)"
_IS = re.compile(rf"{_SUBJECT} (?:is|are) (?P<negated>not )?(?P<adjective>[a-z]+)")
_DOES = re.compile(rf"{_SUBJECT} (?P<verb>[a-z]+?)s? the (?P<object>[a-z]+(?: [a-z]+)?)")
_DOES_NOT = re.compile(rf"{_SUBJECT} (?:does|do) not (?P<verb>[a-z]+) the (?P<object>[a-z]+(?: [a-z]+)?)")
_MORE = re.compile(r"(?P<negated>not )?(?P<adjective>[a-z]+)")
_KINDS = re.compile(
    r"(?:All )?(?P<kinds>[A-Za-z]+(?:, [a-z]+)*) (?:things|people) are (?P<negated>not )?(?P<adjective>[a-z]+)"
)
_CONDITIONAL = re.compile(r"If (?P<conditions>.+) then (?P<consequence>.+)")
_NO_NAME = re.compile(
    r"an?|all|and|(any|every|no|some)(body|one|thing)?|each|few|he|if|many|most|neither|none|not|only|or|several|she|"
    r"th(at|e|en|ese|ey|is|ose)|we|who|you"
)


class SentenceError(RowError):
    """A sentence of no known form."""


def read_sentence(sentence: str) -> Formula:
    """The formula that a sentence means.

    Args:
        sentence: with or without its full stop.

    Raises:
        SentenceError: the sentence has none of the known forms.

    >>> from callwright.functions.formula import format_formula
    >>> format_formula(read_sentence("If someone is big and they do not see the bald eagle then they are not kind."))
    'all x. ((Big(x) and not Sees(x, bald_eagle)) -> not Kind(x))'
    """
    text = sentence.strip().removesuffix(".")
    if len(text) > MAX_SENTENCE_CHARACTERS:
        raise SentenceError(f"a sentence of more than {MAX_SENTENCE_CHARACTERS} characters")
    if rule := _KINDS.fullmatch(text):
        kinds = [_quality(_ANYTHING, kind) for kind in rule["kinds"].split(", ")]
        return ForAll(_ANYTHING, Implies(_all_of(kinds), _quality(_ANYTHING, rule["adjective"], rule["negated"])))
    if rule := _CONDITIONAL.fullmatch(text):
        return _conditional(rule["conditions"].split(" and "), rule["consequence"])
    fact, subject = _clause(text)
    if subject == _ANYTHING:
        raise SentenceError("a fact about nobody in particular")
    return fact


def _conditional(conditions: Sequence[str], consequence: str) -> Formula:
    """The first clause with "someone" or "something" introduces the thing that "they" and "it" go back to."""
    read: list[Formula] = []
    introduced = False
    subject: Term = _ANYTHING
    for place, text in enumerate([*conditions, consequence]):
        more = _MORE.fullmatch(text)
        if more and 0 < place < len(conditions):
            read.append(_quality(subject, more["adjective"], more["negated"]))
            continue
        clause, subject = _clause(text)
        introduces = text.split()[0] in ("someone", "something")
        if introduces == introduced and subject == _ANYTHING:
            raise SentenceError("a pronoun that goes back to nothing, or two things that are not named")
        introduced = introduced or introduces
        read.append(clause)
    rule = Implies(_all_of(read[:-1]), read[-1])
    return ForAll(_ANYTHING, rule) if introduced else rule


def _clause(text: str) -> tuple[Formula, Term]:
    """A clause and its subject."""
    if clause := _IS.fullmatch(text):
        subject = _thing(clause["subject"])
        return _quality(subject, clause["adjective"], clause["negated"]), subject
    negated = _DOES_NOT.fullmatch(text)
    clause = negated or _DOES.fullmatch(text)
    if clause is None:
        raise SentenceError("a sentence of no known form")
    subject = _thing(clause["subject"])
    relation = Atom(f"{_name(clause['verb']).capitalize()}s", (subject, _thing(f"the {clause['object']}")))
    return Not(relation) if negated else relation, subject


def _thing(words: str) -> Term:
    if words.lower() in ("something", "someone", "it", "they"):
        return _ANYTHING
    return Constant("_".join(_name(word) for word in words.lower().removeprefix("the ").split()))


def _quality(subject: Term, adjective: str, negated: str | None = None) -> Formula:
    quality = Atom(_name(adjective.lower()).capitalize(), (subject,))
    return Not(quality) if negated else quality


def _name(word: str) -> str:
    if _NO_NAME.fullmatch(word):
        raise SentenceError("a sentence of no known form")
    return word


def _all_of(conditions: Sequence[Formula]) -> Formula:
    return reduce(And, conditions)
