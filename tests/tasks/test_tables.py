"""The tables of a task's mistakes name functions of that task only."""

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
