"""Tasks are a value: nothing changes it, two of them live side by side, and other processes load the same."""

import multiprocessing
import pickle
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from callwright.agent.loop import take_steps
from callwright.agent.protocol import TEXT
from callwright.chat.model import Reply
from callwright.errors import DataError, ParamsError
from callwright.records import Chain, Usage
from callwright.tasks import TASKS, Tasks, load_tasks
from callwright.tasks.arithmetic.task import ARITHMETIC
from callwright.tasks.task import Task
from callwright.validation.replay import check_chain
from tests.fakes import chain, problem

DOUBLE = """
from callwright.functions.function import function
from callwright.functions.numbers import Number

@function(example={"a": 2})
def double(a: Number) -> Number:
    "Twice a number."
    return a * 2

FUNCTIONS = {"arithmetic": (double,)}
"""
TEN = problem("double(a=5)", "answer(value=10)", question="What is twice 5?", answer="10")


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that writes a user's module and returns its name, which no other test has: modules stay loaded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def write(name: str, code: str = DOUBLE) -> str:
        (tmp_path / f"{name}.py").write_text(code)
        return name

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def attempt(task: Task) -> Chain:
    """What a model that calls `double` gets from a task's toolbox."""
    tools = task.toolbox.open()
    replies = (Reply(text, "stop", Usage()) for text in ("double(5)", "answer(10)"))
    return chain(*(step for reply in replies for step in take_steps(reply, TEXT, task.toolbox, tools)))


def test_loading_a_users_module_changes_nothing_global(write_module: Callable[..., str]):
    before, shown = dict(TASKS), TEXT.function_section(TASKS["arithmetic"].toolbox)
    tasks = load_tasks([write_module("own_tasks_global")])
    assert "double" in tasks["arithmetic"].toolbox.functions
    assert dict(TASKS) == before
    assert "double" not in TASKS["arithmetic"].toolbox.functions
    assert TEXT.function_section(TASKS["arithmetic"].toolbox) == shown
    assert load_tasks(()) is TASKS


def test_two_values_of_tasks_give_different_results_at_the_same_time(write_module: Callable[..., str]):
    with_double = load_tasks([write_module("own_tasks_beside")])
    for _ in range(2):  # using one leaves the other as it is
        with_function, without = (attempt(tasks["arithmetic"]) for tasks in (with_double, TASKS))
        assert [step.error and step.error.fault for step in with_function.steps] == [None, None]
        assert [step.error and step.error.fault for step in without.steps] == ["unknown_function", None]
        assert check_chain(with_function, TEN, with_double["arithmetic"]).verdict.correct
        assert not check_chain(with_function, TEN, TASKS["arithmetic"]).verdict.correct


def test_the_same_modules_give_the_same_value(write_module: Callable[..., str]):
    first, second = write_module("own_tasks_first"), write_module("own_tasks_second", DOUBLE.replace("double", "twice"))
    assert load_tasks([first, second]) is load_tasks((first, second))
    assert load_tasks([first, second]).modules == (first, second)
    assert list(load_tasks([second, first])["arithmetic"].toolbox.functions)[-3:] == ["twice", "double", "answer"]


def test_a_module_that_was_repaired_can_be_loaded(write_module: Callable[..., str]):
    write_module("own_tasks_repaired", "FUNCTIONS = {}")
    with pytest.raises(ParamsError, match="own_tasks_repaired defines neither FUNCTIONS nor TASKS"):
        load_tasks(["own_tasks_repaired"])
    del sys.modules["own_tasks_repaired"]
    write_module("own_tasks_repaired", f"{DOUBLE}\n# repaired")
    assert "double" in load_tasks(["own_tasks_repaired"])["arithmetic"].toolbox.functions


def function_names(tasks: Tasks) -> list[str]:
    return list(tasks["arithmetic"].toolbox.functions)


@pytest.mark.slow
def test_another_process_loads_the_same_tasks(write_module: Callable[..., str]):
    tasks = load_tasks([write_module("own_tasks_elsewhere")])
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(function_names, tasks).result() == [*function_names(TASKS)[:-1], "double", "answer"]
        assert pool.submit(function_names, TASKS).result() == function_names(TASKS)


def test_tasks_are_pickled_as_the_names_of_their_modules(write_module: Callable[..., str]):
    tasks = load_tasks([write_module("own_tasks_pickled")])
    assert pickle.loads(pickle.dumps(tasks)) is tasks
    assert pickle.loads(pickle.dumps(TASKS)) is TASKS
    with pytest.raises(TypeError, match="put together in this process, so no other process can load them"):
        pickle.dumps(Tasks([ARITHMETIC]))


def test_nothing_can_be_put_into_tasks():
    with pytest.raises(TypeError):
        TASKS["own"] = ARITHMETIC  # type: ignore[index]
    with pytest.raises(AttributeError):
        TASKS.modules = ("own",)  # type: ignore[misc]


def test_an_unknown_task_is_an_error_that_lists_the_tasks():
    tasks = Tasks([ARITHMETIC])
    with pytest.raises(DataError, match="there is no task algebra; the tasks are arithmetic"):
        tasks["algebra"]
    with pytest.raises(DataError, match="there is no task 5; the tasks are arithmetic"):
        tasks[5]  # type: ignore[index]
    tasks.require(["arithmetic"])
    with pytest.raises(DataError, match="there is no task algebra"):
        tasks.require(["arithmetic", "algebra"])
    assert "algebra" not in tasks
    assert tasks.get("algebra") is None
    assert tasks.get("arithmetic") is ARITHMETIC


def test_an_unknown_task_name_is_shortened_and_escaped_in_the_message():
    with pytest.raises(DataError) as caught:
        TASKS.require(["\x1b[31m" + "x\n" * 10_000])
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
