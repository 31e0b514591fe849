import sys
import textwrap
from pathlib import Path

import pytest

from callwright.errors import DataError, ParamsError
from callwright.tasks.arithmetic.task import ARITHMETIC
from callwright.tasks.user_tasks import Tasks, code_paths

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
TASK = "Task('own', Toolbox([answer]), 'Do it.', lambda problem, answer: 'wrong')"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a module of the user's own; its name is returned."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def write(code: str, name: str = "own_module") -> str:
        (tmp_path / f"{name}.py").write_text(f"{GOOD}\n{textwrap.dedent(code)}")
        return name

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def tasks() -> Tasks:
    return Tasks((ARITHMETIC,))


def test_functions_join_a_task_before_its_answer_and_the_task_stays_what_it_was_elsewhere(tasks, module):
    tasks.load([module("FUNCTIONS = {'arithmetic': (double,)}")])
    assert list(tasks["arithmetic"].toolbox.functions)[-2:] == ["double", "answer"]
    assert "double" not in ARITHMETIC.toolbox.functions


def test_a_task_of_ones_own_can_take_functions_too(tasks, module):
    tasks.load([module(f"TASKS = ({TASK},)\nFUNCTIONS = {{'own': [double]}}")])
    assert list(tasks) == ["arithmetic", "own"]
    assert list(tasks["own"].toolbox.functions) == ["double", "answer"]


@pytest.mark.parametrize("name", ["own", "Own-task_2", "a", "x" * 64])
def test_a_task_may_have_a_simple_name(tasks, module, name):
    tasks.load([module(f"TASKS = ({TASK.replace('own', name)},)")])
    assert list(tasks) == ["arithmetic", name]


BAD_NAMES = ["", "clock (24h)", "Q&A", "a/b", "v1.5", "two words", "1st", "-x", "line\nbreak", "own\n", "<script>",
             "\x1b[31m", "na\u0308me", "\ud83d", "x" * 65, "../x", "zahl²", "٣", None, 7]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_a_task_whose_name_pages_and_metrics_could_not_hold_is_refused_when_loaded(tasks, module, name):
    with pytest.raises(
        ParamsError, match=r"a task cannot be called .*: it has to be 1 to 64 of the characters"
    ) as caught:
        tasks.load([module(f"TASKS = ({TASK.replace(repr('own'), ascii(name))},)")])
    assert str(caught.value).isprintable(), "one line that a terminal can show"
    assert list(tasks) == ["arithmetic"]


def test_a_task_cannot_take_the_name_of_all_tasks_together(tasks, module):
    with pytest.raises(ParamsError, match="a task cannot be called 'overall': the metrics call all tasks together so"):
        tasks.load([module(f"TASKS = ({TASK.replace('own', 'overall')},)")])


def test_an_unknown_task_of_a_problem_is_named_in_one_short_line(tasks):
    with pytest.raises(DataError) as caught:
        tasks.require(["\x1b[31m" + "x\n" * 10_000])
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_loading_again_is_the_same_and_loading_nothing_takes_all_back(tasks, module):
    name = module("FUNCTIONS = {'arithmetic': (double,)}")
    tasks.load([name])
    tasks.load([name])
    assert "double" in tasks["arithmetic"].toolbox.functions
    tasks.load([])
    assert dict(tasks) == {"arithmetic": ARITHMETIC}


def test_a_module_in_a_package_goes_along_as_the_packages_folder(module, tmp_path):
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package/__init__.py").write_text("")
    (tmp_path / "own_package/parts.py").write_text(f"{GOOD}\nFUNCTIONS = {{'arithmetic': (double,)}}")
    tasks = Tasks((ARITHMETIC,))
    tasks.load(["own_package.parts"])
    assert "double" in tasks["arithmetic"].toolbox.functions
    assert code_paths(["own_package.parts"]) == [tmp_path / "own_package"]


@pytest.mark.parametrize(
    ("code", "complaint"),
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
            "own_module.FUNCTIONS['arithmetic']: kept takes a state, and this toolbox makes none",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line_that_says_why(tasks, module, code, complaint):
    with pytest.raises(ParamsError) as caught:
        tasks.load([module(code)])
    assert str(caught.value).startswith("functions: ")
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert dict(tasks) == {"arithmetic": ARITHMETIC}


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("no_such_module", "there is no module no_such_module in this folder or among the installed packages"),
        ("no_such_package.part", "there is no module no_such_package.part"),
        ("own_module.py", "own_module.py is not a module's name; write it without folder and .py"),
        ("src/own_module", "src/own_module is not a module's name"),
        ("", " is not a module's name"),
    ],
)
def test_a_module_that_does_not_exist_is_named(tasks, module, name, complaint):
    module("FUNCTIONS = {'arithmetic': (double,)}")
    with pytest.raises(ParamsError) as caught:
        tasks.load([name])
    assert str(caught.value).startswith("functions: ")
    assert complaint in str(caught.value)


def test_a_task_that_does_not_exist_is_a_clear_error(tasks):
    with pytest.raises(DataError, match="there is no task algebra; the tasks are arithmetic"):
        tasks["algebra"]
    tasks.require(["arithmetic"])
    with pytest.raises(DataError, match="there is no task algebra"):
        tasks.require(["arithmetic", "algebra"])
