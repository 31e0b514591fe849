"""The functions that models invent in entailment. Its formulas are misread as those of translation are."""

from callwright.tasks.task import TaskMistakes
from callwright.tasks.translation import mistakes as translation

MISTAKES = TaskMistakes(
    invented_functions={"assume": "premise", "entails": "prove"},
    misread_words=translation.MISTAKES.misread_words,
)
