"""What models mix up: functions for each other, names that do not exist, words of a formula."""

from callwright.records import Json

CONFUSED_FUNCTIONS = {
    "add": ("subtract", "multiply"),
    "subtract": ("add", "divide"),
    "multiply": ("add", "divide"),
    "divide": ("multiply", "subtract"),
    "percent_of": ("subtract", "divide"),
    "remainder": ("divide", "subtract"),
    "power": ("multiply",),
    "round_to": ("divide",),
    "conjoin": ("imply", "disjoin"),
    "disjoin": ("conjoin", "exclusive"),
    "exclusive": ("disjoin",),
    "imply": ("conjoin", "equivalent"),
    "equivalent": ("imply",),
    "for_all": ("exists",),
    "exists": ("for_all",),
}
INVENTED_FUNCTIONS = {
    "add": "sum",
    "subtract": "minus",
    "multiply": "times",
    "divide": "split",
    "percent_of": "percentage",
    "power": "square",
    "remainder": "modulo",
    "round_to": "round",
    "predicate": "atom",
    "negate": "no",
    "conjoin": "both",
    "disjoin": "either",
    "imply": "if_then",
    "for_all": "every",
    "exists": "some",
    "assume": "premise",
    "entails": "prove",
}
_MISREAD_WORDS = (
    (" -> ", " and "),
    (" <-> ", " -> "),
    ("all ", "exists "),
    ("exists ", "all "),
    (" and ", " or "),
    (" xor ", " or "),
    (" or ", " and "),
    ("not ", ""),
)


def misreadings(value: object) -> list[Json]:
    """A formula with one word of it read as another; nothing for what is no formula.

    >>> misreadings("all x. (Dog(x) -> Animal(x))")
    ['all x. (Dog(x) and Animal(x))', 'exists x. (Dog(x) -> Animal(x))']
    >>> misreadings("Dog(rex)"), misreadings("Dog")
    (['not Dog(rex)'], [])
    """
    if not isinstance(value, str) or "(" not in value:
        return []
    made: list[Json] = [value.replace(read, wrong, 1) for read, wrong in _MISREAD_WORDS if read in value]
    return made or [f"not {value}"]
