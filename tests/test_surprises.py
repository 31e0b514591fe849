"""Unexpected exceptions are counted by reason, and their tracebacks are kept."""

import pytest

from callwright.functions.function import function
from callwright.functions.toolbox import Toolbox
from callwright.records import Call
from callwright.surprises import SurpriseLog, surprise_of
from callwright.tasks import TASKS


def raised(message: str) -> Exception:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_surprise_has_the_type_location_message_and_traceback():
    surprise = surprise_of(raised("half a \ud83d\nand \x1b[31mred"))
    assert surprise.exception_type == "ValueError"
    assert surprise.location.startswith("test_surprises.py:")
    assert surprise.message == r"half a \ud83d and \x1b[31mred"
    assert "raise ValueError(message)" in surprise.traceback_text
    assert str(surprise).encode()  # can be encoded as UTF-8


def test_the_location_is_in_callwright_if_a_library_raised_the_exception():
    try:
        TASKS["arithmetic"].toolbox.functions["add"].python("a", 1)
    except Exception as error:
        assert surprise_of(error).location.startswith("tasks/arithmetic/functions.py:")
    else:
        raise AssertionError("adding text to a number was expected to fail")


@function(example={"a": 1})
def defective(a: int) -> int:
    """A user's function with a defect."""
    return {1: 1}[a]


def test_the_location_is_in_the_users_module_if_its_function_is_defective():
    toolbox = Toolbox([defective, TASKS["arithmetic"].toolbox.functions["answer"]]).open()
    with pytest.raises(KeyError) as caught:
        toolbox.execute(Call("defective", {"a": 2}))
    assert surprise_of(caught.value).location.startswith("test_surprises.py:")


def test_a_log_counts_by_reason_and_keeps_the_first_traceback_of_each(folder):
    log = SurpriseLog("rollout")
    assert log.summary() is None
    for number in range(3):
        log.add(surprise_of(raised(f"number {number}")), f"attempt {number}")
    try:
        Call()
    except TypeError as error:
        log.add(surprise_of(error), "attempt 3")
    log_text = (folder / ".callwright/surprises/rollout.log").read_text()
    assert "attempt 0" in log_text and "attempt 3" in log_text and "attempt 1" not in log_text
    assert log.summary().startswith("4 surprises, 3 times unexpected ValueError in test_surprises.py:")
    assert log.summary().endswith("please report it with .callwright/surprises/rollout.log")


class BrokenTextError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_exception_with_a_broken_text_is_a_surprise_too():
    surprise = surprise_of(BrokenTextError())
    assert surprise.exception_type == "BrokenTextError"
    assert surprise.message == "its text cannot be made (RuntimeError)"
