"""Any arguments that a model writes give an observation or a fault; nothing raises."""

import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.errors import CallError
from callwright.functions.toolbox import Observation
from callwright.records import Call
from callwright.tasks import TASKS

WORDS = (
    "x y X x1 Dog dog rex Dog(x) Dog(rex) x(x) Likes(x,y) Likes(x) all exists not and True Unknown "
    "3 -1 1/2 1/0 1e400 ¬ ( 2*x+3=7 1/x=0 x=y 2**x=8 12,000"
)
FORMULAS = ("not Dog(x)", "all x. Dog(x)", "all x. all x. Dog(x)", "all x. (Dog(x) -> y(x))")
TEXTS = st.sampled_from([*WORDS.split(), *FORMULAS, "", " ", "9" * 400])
NUMBERS = st.sampled_from([0, 1, -1, 2.5, 1e308, 10**30, True, float("inf"), -0.0])
ARGUMENTS = st.one_of(TEXTS, NUMBERS, st.none(), st.lists(st.one_of(TEXTS, NUMBERS), max_size=4))
CALLED = [(task, name) for task in TASKS for name in TASKS[task].toolbox.functions if name != "entails"]


@pytest.mark.parametrize(("task", "name"), CALLED)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_arguments_give_an_observation_or_a_fault(task: str, name: str, data: st.DataObject):
    function = TASKS[task].toolbox.functions[name]
    parameters = list(inspect.signature(function.python).parameters)[function.stateful :]
    call = Call(name, {parameter: data.draw(ARGUMENTS, label=parameter) for parameter in parameters})
    assert isinstance(TASKS[task].toolbox.open().execute(call), Observation | CallError)


def test_a_variable_is_not_a_predicate():
    result = TASKS["translation"].toolbox.open().execute(Call("predicate", {"name": "x", "terms": ["rex"]}))
    assert isinstance(result, CallError)
    assert "x is a variable, not a predicate" in result.message
