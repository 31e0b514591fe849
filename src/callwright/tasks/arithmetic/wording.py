"""Other wordings of arithmetic problems: another order of a story's sentences.

English is not parsed: a question is left alone if its meaning might change (docs/evaluation.md says when).
"""

import re
from random import Random

from callwright.records import Problem
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


def reorder_statements(problem: Problem, rng: Random) -> str | None:
    """The question with its statements in another order, and the question sentence last; None if that is not safe.

    Events stay in their order: at most one statement may be an event. No sentence may refer to another.
    """
    *statements, question_sentence = split_sentences(problem.question)
    if not question_sentence.endswith("?"):
        return None
    if any(statement.endswith("?") or statement[-2:-1].isdigit() for statement in statements):
        return None
    if sum(_TIMELESS_STATEMENT.match(statement) is None for statement in statements) > 1:
        return None
    if any(_REFERRING_WORDS & {word.lower() for word in WORD.findall(statement)} for statement in statements):
        return None
    shuffled = shuffle_sentences(statements, rng)
    return " ".join((*shuffled, question_sentence)) if shuffled else None


WORDING = TaskWording(reorder_sentences=reorder_statements)
