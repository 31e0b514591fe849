"""Formulas that are misread. Which words are confused is in the part `mistakes` of a task."""

from collections.abc import Iterable

from callwright.records import Json


def misreadings(value: object, misread_words: Iterable[tuple[str, str]]) -> list[Json]:
    """A formula with one of its words read as another, in each way; negated if none occurs. Empty for other values.

    >>> words = [(" -> ", " and "), ("all ", "exists ")]
    >>> misreadings("all x. (Dog(x) -> Animal(x))", words)
    ['all x. (Dog(x) and Animal(x))', 'exists x. (Dog(x) -> Animal(x))']
    >>> misreadings("Dog(rex)", words), misreadings("Dog", words)
    (['not Dog(rex)'], [])
    """
    if not isinstance(value, str) or "(" not in value:
        return []
    misread: list[Json] = [value.replace(word, wrong, 1) for word, wrong in misread_words if word in value]
    return misread or [f"not {value}"]
