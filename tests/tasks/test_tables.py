"""The tables of a task, its mistakes and the new names of its functions, name functions of that task only."""

import pytest

from callwright.tasks import TASKS
from callwright.tasks.arithmetic import mistakes as arithmetic_mistakes
from callwright.tasks.arithmetic import wording as arithmetic_wording
from callwright.tasks.entailment import mistakes as entailment_mistakes
from callwright.tasks.entailment import wording as entailment_wording
from callwright.tasks.translation import mistakes as translation_mistakes
from callwright.tasks.translation import wording as translation_wording

MISTAKES = {
    "arithmetic": arithmetic_mistakes.MISTAKES,
    "translation": translation_mistakes.MISTAKES,
    "entailment": entailment_mistakes.MISTAKES,
}
NEW_NAMES = {
    "arithmetic": arithmetic_wording.NEW_FUNCTION_NAMES,
    "translation": translation_wording.NEW_FUNCTION_NAMES,
    "entailment": entailment_wording.NEW_FUNCTION_NAMES,
}


@pytest.mark.parametrize("task", TASKS)
def test_confused_functions_exist_and_invented_ones_do_not(task: str):
    functions = TASKS[task].toolbox.functions.keys()
    mistakes = MISTAKES[task]
    assert mistakes.confused_functions.keys() <= functions
    assert {name for others in mistakes.confused_functions.values() for name in others} <= functions
    assert mistakes.invented_functions.keys() <= functions
    assert not functions & set(mistakes.invented_functions.values())


@pytest.mark.parametrize("task", TASKS)
def test_every_function_but_answer_has_a_new_name(task: str):
    functions = TASKS[task].toolbox.functions.keys()
    assert NEW_NAMES[task].keys() == functions - {"answer"}
    assert not functions & set(NEW_NAMES[task].values())
