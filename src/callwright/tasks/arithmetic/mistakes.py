"""The functions that models confuse in arithmetic, and the ones they invent."""

from callwright.tasks.parts import TaskMistakes

MISTAKES = TaskMistakes(
    confused_functions={
        "add": ("subtract", "multiply"),
        "subtract": ("add", "divide"),
        "multiply": ("add", "divide"),
        "divide": ("multiply", "subtract"),
        "percent_of": ("subtract", "divide"),
        "remainder": ("divide", "subtract"),
        "power": ("multiply",),
        "round_to": ("divide",),
    },
    invented_functions={
        "add": "sum",
        "subtract": "minus",
        "multiply": "times",
        "divide": "split",
        "percent_of": "percentage",
        "power": "square",
        "remainder": "modulo",
        "round_to": "round",
    },
    extra_functions=("add", "subtract", "multiply"),
)
