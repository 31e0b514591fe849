"""Paraphrases of the functions' descriptions: complete, different from each other, in words that training shows."""

import re
from collections import Counter

import pytest

from callwright.functions.function import Function
from callwright.tasks import TASKS
from callwright.tasks.parts import TaskDescriptions

_WORD = re.compile(r"[A-Za-z]+")
NEED_AN_ORDER = {
    "arithmetic": ("subtract", "divide", "power", "remainder", "percent_of"),
    "translation": ("imply",),
    "entailment": (),
}
_ORDER = re.compile(r"\b(?:first|second|minus|percent of an amount)\b|\bon the condition\b", re.IGNORECASE)


def descriptions_of(task: str) -> TaskDescriptions:
    part = TASKS[task].part("descriptions")
    assert part is not None
    return part


def functions_of(task: str) -> dict[str, Function]:
    return TASKS[task].toolbox.functions


def words(texts: list[str]) -> set[str]:
    return {word.lower() for text in texts for word in _WORD.findall(text)}


@pytest.mark.parametrize("task", TASKS)
def test_every_function_has_six_to_eight_paraphrases_for_training_and_three_held_out(task: str):
    part = descriptions_of(task)
    assert part.training.keys() == part.held_out.keys() == functions_of(task).keys()
    assert all(6 <= len(texts) <= 8 for texts in part.training.values())
    assert all(len(texts) == 3 for texts in part.held_out.values())


@pytest.mark.parametrize("task", TASKS)
def test_no_two_descriptions_of_a_task_are_equal(task: str):
    part = descriptions_of(task)
    texts = [text for by_function in (part.training, part.held_out) for each in by_function.values() for text in each]
    texts += [function.description for function in functions_of(task).values()]
    assert [text for text, count in Counter(texts).items() if count > 1] == []


@pytest.mark.parametrize("task", TASKS)
def test_a_paraphrase_is_one_short_sentence(task: str):
    part = descriptions_of(task)
    for texts in (*part.training.values(), *part.held_out.values()):
        for text in texts:
            assert text.isascii()
            assert text.isprintable()
            assert text[0].isupper()
            assert text[-1] in ".?"
            assert len(text) <= 110


@pytest.mark.parametrize("task", TASKS)
def test_the_order_of_arguments_is_clear_where_it_matters(task: str):
    part = descriptions_of(task)
    for function in NEED_AN_ORDER[task]:
        for text in (*part.training[function], *part.held_out[function]):
            assert _ORDER.search(text), text


@pytest.mark.parametrize("task", TASKS)
def test_held_out_paraphrases_have_only_words_that_training_shows(task: str):
    part = descriptions_of(task)
    shown = [text for texts in part.training.values() for text in texts]
    shown += [function.description for function in functions_of(task).values()]
    held_out = [text for texts in part.held_out.values() for text in texts]
    assert words(held_out) - words(shown) == set()
