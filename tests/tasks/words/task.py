"""The task words, as a task that ships is written."""

from callwright.records import Problem
from callwright.tasks.task import Grade, Task
from tests.tasks.words.functions import TOOLBOX


def _grade(problem: Problem, answer: str) -> Grade:
    return "right" if answer == problem.answer else "wrong"


WORDS = Task(
    name="words",
    toolbox=TOOLBOX,
    instructions="Write the word. Call join and turn, then answer with a result.",
    grade=_grade,
    folder="tests.tasks.words",
)
