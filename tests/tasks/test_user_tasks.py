import sys
import textwrap
from functools import partial
from pathlib import Path

import pytest

from callwright.errors import ParamsError
from callwright.tasks import load_tasks
from callwright.tasks.arithmetic.task import ARITHMETIC
from callwright.tasks.tasks import Tasks
from callwright.tasks.user_tasks import add_modules, code_paths

GOOD = """
from callwright.functions.function import function
from callwright.functions.numbers import Number
from callwright.functions.toolbox import Toolbox
from callwright.tasks.task import Task

@function(example={"a": 2})
def double(a: Number) -> Number:
    "Twice a number."
    return a * 2

@function(example={"value": 2})
def answer(value: Number) -> Number:
    "Answer."
    return value
"""
TASKS = Tasks((ARITHMETIC,))
TASK = "Task('own', Toolbox([answer]), 'Do it.', lambda problem, answer: 'wrong')"


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that writes a user's module and returns its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def write(code: str, name: str = "own_module") -> str:
        (tmp_path / f"{name}.py").write_text(f"{GOOD}\n{textwrap.dedent(code)}")
        return name

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_functions_are_added_before_answer_and_the_built_in_task_is_not_changed(write_module):
    tasks = add_modules(TASKS, [write_module("FUNCTIONS = {'arithmetic': (double,)}")])
    assert list(tasks["arithmetic"].toolbox.functions)[-2:] == ["double", "answer"]
    assert "double" not in ARITHMETIC.toolbox.functions


def test_functions_can_be_added_to_a_users_task(write_module):
    tasks = add_modules(TASKS, [write_module(f"TASKS = ({TASK},)\nFUNCTIONS = {{'own': [double]}}")])
    assert list(tasks) == ["arithmetic", "own"]
    assert list(tasks["own"].toolbox.functions) == ["double", "answer"]


@pytest.mark.parametrize("name", ["own", "Own-task_2", "a", "x" * 64])
def test_a_simple_name_of_a_task_is_accepted(write_module, name):
    tasks = add_modules(TASKS, [write_module(f"TASKS = ({TASK.replace('own', name)},)")])
    assert list(tasks) == ["arithmetic", name]


BAD_NAMES = ["", "clock (24h)", "Q&A", "a/b", "v1.5", "two words", "1st", "-x", "line\nbreak", "own\n", "<script>",
             "\x1b[31m", "na\u0308me", "\ud83d", "x" * 65, "../x", "zahl²", "٣", None, 7]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_a_task_name_that_does_not_fit_pages_and_metrics_is_refused(write_module, name):
    with pytest.raises(
        ParamsError, match=r"a task cannot be called .*: it has to be 1 to 64 of the characters"
    ) as caught:
        add_modules(TASKS, [write_module(f"TASKS = ({TASK.replace(repr('own'), ascii(name))},)")])
    assert str(caught.value).isprintable(), "one line that a terminal can show"
    assert list(TASKS) == ["arithmetic"]


def test_a_task_cannot_be_called_overall(write_module):
    with pytest.raises(
        ParamsError, match="a task cannot be called 'overall': metrics use this name for all tasks together"
    ):
        add_modules(TASKS, [write_module(f"TASKS = ({TASK.replace('own', 'overall')},)")])


def test_the_folder_of_a_package_ships_with_a_model(write_module, tmp_path):
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package/__init__.py").write_text("")
    (tmp_path / "own_package/parts.py").write_text(f"{GOOD}\nFUNCTIONS = {{'arithmetic': (double,)}}")
    tasks = add_modules(TASKS, ["own_package.parts"])
    assert "double" in tasks["arithmetic"].toolbox.functions
    assert code_paths(["own_package.parts"]) == [tmp_path / "own_package"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("", "own_module defines neither FUNCTIONS nor TASKS"),
        ("FUNCTIONS = {'arithmetic': double}", "own_module.FUNCTIONS['arithmetic'] has to be a tuple of functions"),
        ("FUNCTIONS = (double,)", "own_module.FUNCTIONS has to be a dict"),
        ("FUNCTIONS = {'arithmetic': (len,)}", "own_module.FUNCTIONS['arithmetic']: len was not made by @function"),
        ("FUNCTIONS = {'algebra': (double,)}", "there is no task algebra; the tasks are arithmetic"),
        (
            "FUNCTIONS = {'arithmetic': (function(example={'a': 2}, name='add')(double.python),)}",
            "own_module.FUNCTIONS['arithmetic']: there is a function named add already",
        ),
        ("FUNCTIONS = {'arithmetic': (double, double)}", "there is a function named double already"),
        ("FUNCTIONS = {'arithmetic': (answer,)}", "there is a function named answer already"),
        (f"TASKS = {TASK}", "own_module.TASKS has to be a tuple of callwright.tasks.task.Task"),
        ("TASKS = ('own',)", "own_module.TASKS has to be a tuple of callwright.tasks.task.Task"),
        (f"TASKS = ({TASK}, {TASK})", "own_module.TASKS: there is a task own already"),
        (f"TASKS = ({TASK.replace('own', 'arithmetic')},)", "own_module.TASKS: there is a task arithmetic already"),
        ("import no_such_module", "own_module cannot be imported: ModuleNotFoundError: No module named 'no_such"),
        ("1 / 0", "own_module cannot be imported: ZeroDivisionError: division by zero (own_module.py, line"),
        ("def broken(:", "own_module cannot be imported: SyntaxError"),
        (
            "@function(example={'a': 1})\ndef loose(a):\n    'Loose.'",
            "own_module cannot be imported: TypeError: loose: parameter a needs a type annotation (",
        ),
        (
            "@function(example={})\ndef late() -> str:\n    'Late.'\n    raise ValueError('not now')\n"
            "FUNCTIONS = {'arithmetic': (late,)}",
            "own_module: the example of late fails: not now",
        ),
        (
            "@function(example={})\ndef odd() -> str:\n    'Odd.'\n    return object()\n"
            "FUNCTIONS = {'arithmetic': [odd]}",
            "own_module: the example of odd fails: TypeError: odd returned a object",
        ),
        (
            "@function(example={})\ndef kept(state: list) -> str:\n    'Kept.'\n    return ''\n"
            "FUNCTIONS = {'arithmetic': [kept]}",
            "own_module.FUNCTIONS['arithmetic']: kept takes a state, but this toolbox has no new_state",
        ),
    ],
)
def test_an_unusable_module_is_an_error_of_one_line(write_module, code, message):
    with pytest.raises(ParamsError) as caught:
        add_modules(TASKS, [write_module(code)])
    assert str(caught.value).startswith("functions: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert dict(TASKS) == {"arithmetic": ARITHMETIC}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module", "there is no module no_such_module in this folder or among the installed packages"),
        ("no_such_package.part", "there is no module no_such_package.part"),
        ("own_module.py", "own_module.py is not a module's name; write it without folder and .py"),
        ("src/own_module", "src/own_module is not a module's name"),
        ("", " is not a module's name"),
    ],
)
def test_a_missing_module_is_an_error_of_one_line(write_module, name, message):
    write_module("FUNCTIONS = {'arithmetic': (double,)}")
    with pytest.raises(ParamsError) as caught:
        add_modules(TASKS, [name])
    assert str(caught.value).startswith("functions: ")
    assert message in str(caught.value)


def test_a_module_that_is_listed_twice_is_an_error_of_one_line(write_module):
    name = write_module(f"TASKS = ({TASK},)")
    for load in (partial(add_modules, TASKS), load_tasks):
        with pytest.raises(
            ParamsError, match=r"^functions: the module own_module is listed twice; list each module once$"
        ):
            load([name, name])


def test_the_name_of_a_module_in_place_of_a_list_is_an_error_of_one_line():
    with pytest.raises(ParamsError, match=r"not a text: write load_tasks\(\['mine'\]\)$"):
        load_tasks("mine")
