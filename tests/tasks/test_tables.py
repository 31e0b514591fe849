"""The tables of a task, its mistakes and the new names of its functions, name functions of that task only."""

import pytest

from callwright.tasks import TASKS


@pytest.mark.parametrize("name", TASKS)
def test_confused_functions_exist_and_invented_ones_do_not(name: str):
    functions = TASKS[name].toolbox.functions.keys()
    mistakes = TASKS[name].part("mistakes")
    assert mistakes.confused_functions.keys() <= functions
    assert {other for others in mistakes.confused_functions.values() for other in others} <= functions
    assert mistakes.invented_functions.keys() <= functions
    assert not functions & set(mistakes.invented_functions.values())
    assert set(mistakes.extra_functions) <= functions


@pytest.mark.parametrize("name", TASKS)
def test_every_function_but_answer_has_a_new_name(name: str):
    functions = TASKS[name].toolbox.functions.keys()
    new_names = TASKS[name].part("wording").new_function_names
    assert new_names.keys() == functions - {"answer"}
    assert not functions & set(new_names.values())
