"""Other wordings of arithmetic problems: another order of a story's sentences.

English is not parsed: a question is left alone if its meaning might change (docs/evaluation.md says when). Of a
synthetic story it is known which sentences are facts that may be anywhere.
"""

import re
from collections.abc import Sequence
from random import Random

from callwright.records import SYNTHETIC, Problem
from callwright.tasks.parts import TaskWording
from callwright.tasks.wording import WORD, shuffle_sentences, split_sentences

_REFERRING_WORDS = frozenset(
    WORD.findall(
        "he she it they him her his its their them this that these those then also too more other others another rest "
        "remaining same much many less fewer already now again after before later first next last finally the half "
        "twice"
    )
)
# Statements that hold at any time, such as the price of a thing or what a box holds, may be anywhere in a story.
_TIMELESS_STATEMENT = re.compile(
    r"(?:(?:One|Each|Every|An?) [a-z ]*?(?:costs?|holds?|weighs?|contains?|has sides)|[A-Z][a-z]* costs?)\b"
)
# Of synthetic stories only: elsewhere "each" may refer to what an event before it introduced.
_SYNTHETIC_FACT = re.compile(
    r"The ride costs |(?:One|Each) [a-z ]+ (?:costs|has|holds|is|pays|sells|takes) |"
    r"[A-Z][a-z]+ is [0-9]+ years|The house of "
)


def reorder_statements(problem: Problem, rng: Random) -> str | None:
    """The question with its statements in another order, and the question sentence last; None if that is not safe.

    Events stay in their order: at most one statement may be an event, and no sentence may refer to another. Synthetic
    stories may have more events, as no fact of theirs comes between a word and what it refers to.
    """
    *statements, question_sentence = split_sentences(problem.question)
    if not question_sentence.endswith("?"):
        return None
    if problem.source == SYNTHETIC:
        shuffled = move_facts(statements, rng)
        return " ".join((*shuffled, question_sentence)) if shuffled else None
    if any(statement.endswith("?") or statement[-2:-1].isdigit() for statement in statements):
        return None
    if sum(_TIMELESS_STATEMENT.match(statement) is None for statement in statements) > 1:
        return None
    if any(_REFERRING_WORDS & {word.lower() for word in WORD.findall(statement)} for statement in statements):
        return None
    shuffled = shuffle_sentences(statements, rng)
    return " ".join((*shuffled, question_sentence)) if shuffled else None


def move_facts(statements: Sequence[str], rng: Random) -> list[str] | None:
    """The statements of a synthetic story with its facts elsewhere; None if it has no facts, or nothing else."""
    facts = [statement for statement in statements if _SYNTHETIC_FACT.match(statement)]
    if len(statements) < 2 or not facts:
        return None
    while (moved := _insert_facts(statements, facts, rng)) == list(statements):
        pass
    return moved


def _insert_facts(statements: Sequence[str], facts: Sequence[str], rng: Random) -> list[str]:
    moved = [statement for statement in statements if statement not in facts]
    for fact in facts:
        moved.insert(rng.randrange(len(moved) + 1), fact)
    return moved


WORDING = TaskWording(reorder_sentences=reorder_statements)
