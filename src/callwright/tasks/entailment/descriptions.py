"""What the functions of entailment do, in other words."""

from callwright.tasks.parts import TaskDescriptions

DESCRIPTIONS = TaskDescriptions(
    training={
        "assume": (
            "Takes a premise as given, written as a formula.",
            "Adds a formula to what is known.",
            "Lets a formula count as true from now on.",
            "Writes down a premise as a formula.",
            "States a formula as a fact.",
            "Keeps a premise, as a formula, for the question.",
            "A formula that counts as a premise from now on.",
        ),
        "entails": (
            "Whether a formula follows from the premises: True, False or neither (Unknown).",
            "Asks what the premises say about a formula: True, False or Unknown.",
            "True if the premises prove a formula, False if they prove its opposite, Unknown if neither.",
            "Decides whether a formula is True or False by all that was assumed; Unknown if neither.",
            "Checks a formula against what is known: True, False or Unknown.",
            "Finds out whether the premises make a statement, as a formula, True, False or neither (Unknown).",
            "The question: does what was assumed prove this formula (True), its opposite (False) or neither (Unknown)?",
        ),
        "answer": (
            "Give the answer and end.",
            "Ends the work with the answer.",
            "The last call: it gives the final answer.",
            "Say the final answer, then stop.",
            "Gives True, False or Unknown as the answer; nothing comes after it.",
            "Use this last, with the answer.",
        ),
    },
    held_out={
        "assume": (
            "Takes a formula as a fact from now on.",
            "Writes down a formula that counts as true.",
            "Adds a premise, written as a formula, to what is given.",
        ),
        "entails": (
            "What the premises say about a formula: True, False or neither (Unknown).",
            "Decides whether a formula follows from what was assumed: True, False or Unknown.",
            "Checks whether the premises prove a formula (True), its opposite (False) or neither (Unknown).",
        ),
        "answer": (
            "Give the final answer and end.",
            "The last call, with the answer.",
            "Say the answer; nothing comes after it.",
        ),
    },
)
