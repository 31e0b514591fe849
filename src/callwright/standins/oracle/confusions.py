"""What models confuse, from all tasks: functions, names that do not exist, words of a formula."""

from callwright.records import Json
from callwright.tasks.arithmetic.mistakes import MISTAKES as ARITHMETIC
from callwright.tasks.entailment.mistakes import MISTAKES as ENTAILMENT
from callwright.tasks.translation.mistakes import MISTAKES as TRANSLATION

_TASKS = (ARITHMETIC, TRANSLATION, ENTAILMENT)

# The functions of a user's own task are confused in the same way if they have the same names.
CONFUSED_FUNCTIONS = {name: others for task in _TASKS for name, others in task.confused_functions.items()}
INVENTED_FUNCTIONS = {name: invented for task in _TASKS for name, invented in task.invented_functions.items()}
_MISREAD_WORDS = dict.fromkeys(pair for task in _TASKS for pair in task.misread_words)


def misreadings(value: object) -> list[Json]:
    """A formula with one of its words read as another, in each way; an empty list for other values.

    >>> misreadings("all x. (Dog(x) -> Animal(x))")
    ['all x. (Dog(x) and Animal(x))', 'exists x. (Dog(x) -> Animal(x))']
    >>> misreadings("Dog(rex)"), misreadings("Dog")
    (['not Dog(rex)'], [])
    """
    if not isinstance(value, str) or "(" not in value:
        return []
    misread: list[Json] = [value.replace(word, wrong, 1) for word, wrong in _MISREAD_WORDS if word in value]
    return misread or [f"not {value}"]
