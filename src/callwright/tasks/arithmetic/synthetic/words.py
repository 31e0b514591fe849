"""Nouns of the synthetic word problems."""

from random import Random

ITEMS = (
    "apple", "bead", "button", "card", "coin", "cookie", "egg", "lemon", "marble", "nut", "orange", "pear", "pen",
    "pencil", "shell", "stamp", "sticker", "toy",
)  # fmt: skip
CONTAINERS = ("bag", "basket", "bowl", "box", "jar", "pack")
PRICED_THINGS = ("bike", "camera", "chair", "clock", "coat", "lamp", "phone", "radio", "table", "watch")


def draw_words(rng: Random) -> dict[str, str]:
    """Different nouns for the slots {item}, {other}, {box}, {case}, {thing}, and their plurals ({items}, ...).

    The slots {unused_item} and {unused_thing} are for distracting facts only.
    """
    item, other, unused_item = rng.sample(ITEMS, 3)
    box, case = rng.sample(CONTAINERS, 2)
    thing, unused_thing = rng.sample(PRICED_THINGS, 2)
    words = {"item": item, "other": other, "box": box, "case": case, "thing": thing}
    plurals = {f"{slot}s": _plural(noun) for slot, noun in words.items()}
    return {**words, **plurals, "boxes": _plural(box), "unused_item": unused_item, "unused_thing": unused_thing}


def _plural(noun: str) -> str:
    return f"{noun}es" if noun.endswith("x") else f"{noun}s"
