"""The functions that models invent in entailment, and the words of a formula that they misread."""

from callwright.tasks.formula_mistakes import MISREAD_WORDS
from callwright.tasks.parts import TaskMistakes

MISTAKES = TaskMistakes(
    invented_functions={"assume": "premise", "entails": "prove"},
    misread_words=MISREAD_WORDS,
)
