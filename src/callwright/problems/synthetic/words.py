"""The things that questions are about."""

from random import Random

ITEMS = {
    "apple": "apples",
    "bead": "beads",
    "button": "buttons",
    "card": "cards",
    "coin": "coins",
    "cookie": "cookies",
    "egg": "eggs",
    "lemon": "lemons",
    "marble": "marbles",
    "nut": "nuts",
    "orange": "oranges",
    "pear": "pears",
    "pen": "pens",
    "pencil": "pencils",
    "shell": "shells",
    "stamp": "stamps",
    "sticker": "stickers",
    "toy": "toys",
}
FRUITS = ("apples", "lemons", "nuts", "oranges", "pears")
CONTAINERS = {
    "bag": "bags",
    "basket": "baskets",
    "bowl": "bowls",
    "box": "boxes",
    "jar": "jars",
    "pack": "packs",
}
THINGS = ("bike", "camera", "chair", "clock", "coat", "lamp", "phone", "radio", "table", "watch")


def draw_words(rng: Random) -> dict[str, str]:
    """Slots: {item} {items} and another kind {other} {others}; {fruits}; {box} {boxes}; {thing}."""
    item, other = rng.sample(sorted(ITEMS), 2)
    box = rng.choice(sorted(CONTAINERS))
    return {
        "item": item,
        "items": ITEMS[item],
        "other": other,
        "others": ITEMS[other],
        "fruits": rng.choice(FRUITS),
        "box": box,
        "boxes": CONTAINERS[box],
        "thing": rng.choice(THINGS),
    }
