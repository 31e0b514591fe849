"""The functions that models confuse or invent in translation, and the words of a formula that they misread."""

from callwright.tasks.formula_mistakes import MISREAD_WORDS
from callwright.tasks.parts import TaskMistakes

MISTAKES = TaskMistakes(
    confused_functions={
        "conjoin": ("imply", "disjoin"),
        "disjoin": ("conjoin", "exclusive"),
        "exclusive": ("disjoin",),
        "imply": ("conjoin", "equivalent"),
        "equivalent": ("imply",),
        "for_all": ("exists",),
        "exists": ("for_all",),
    },
    invented_functions={
        "predicate": "atom",
        "negate": "no",
        "conjoin": "both",
        "disjoin": "either",
        "imply": "if_then",
        "for_all": "every",
        "exists": "some",
    },
    misread_words=MISREAD_WORDS,
    extra_functions=("negate",),
)
