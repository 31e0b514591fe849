"""What the functions of words do, in other words."""

from callwright.tasks.parts import TaskDescriptions

DESCRIPTIONS = TaskDescriptions(
    training={
        "join": ("Puts the second word after the first.", "The first word and the second, as one word."),
        "turn": ("The letters of a word, the last one first.",),
    },
    held_out={
        "join": ("One word: the first, and the second after it.",),
        "turn": ("A word, its last letters first.",),
    },
)
