"""A gold chain that the oracle changes: its steps and results, and what models confuse in its task."""

from collections.abc import Iterable
from dataclasses import dataclass

from callwright.functions.function import Function
from callwright.functions.numbers import format_number, read_number
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Call, Json
from callwright.tasks.parts import TaskMistakes


@dataclass(frozen=True, slots=True)
class ScriptStep:
    """One reply to make.

    Attributes:
        call: with the gold chain's arguments.
        gold_index: index of the gold step whose result this step gives; None if it gives no gold step's result.
        malformed: the reply ends before the call's closing bracket.
    """

    call: Call
    gold_index: int | None = None
    malformed: bool = False


@dataclass(frozen=True, slots=True)
class GoldChain:
    """A gold chain to change.

    Attributes:
        results: of all steps but the last.
        toolbox: of its task.
        confusions: what models confuse in its task.
    """

    steps: tuple[ScriptStep, ...]
    results: tuple[str, ...]
    toolbox: Toolbox
    confusions: TaskMistakes

    def possible_answers(self) -> tuple[str, ...]:
        """The answers that the task allows; empty if they are not a short list."""
        answer = self.toolbox.functions[ANSWER]
        properties = answer.schema()["function"]["parameters"]["properties"]
        return tuple(option for name in answer.parameters[:1] for option in properties[name].get("enum", ()))

    def extra_functions(self) -> list[Function]:
        """The functions of the toolbox that may change a result once more. They have parameters."""
        functions = (self.toolbox.functions.get(name) for name in self.confusions.extra_functions)
        return [function for function in functions if function is not None and function.parameters]

    def misreadings(self, value: object) -> list[Json]:
        """A formula with one of its words read as another, in each way; an empty list for other values."""
        return misreadings(value, self.confusions.misread_words)


def result_text(value: object) -> str:
    """A value as a result shows it, to recognise an argument as an earlier result."""
    try:
        return format_number(read_number(value))
    except ValueError:
        return str(value)


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
