"""What nobody expected: counted, named, and its traceback kept."""

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


def test_a_surprise_names_its_type_its_place_and_what_it_said():
    surprise = surprise_of(raised("half a \ud83d\nand \x1b[31mred"))
    assert surprise.exception_type == "ValueError"
    assert surprise.location.startswith("test_surprises.py:")
    assert surprise.message == r"half a \ud83d and \x1b[31mred"
    assert "raise ValueError(message)" in surprise.traceback_text
    assert str(surprise).encode()  # it can be written


def test_the_place_is_ours_where_a_library_raised_it():
    try:
        TASKS["arithmetic"].toolbox.functions["add"].python("a", 1)
    except Exception as error:
        assert surprise_of(error).location.startswith("tasks/arithmetic/functions.py:")
    else:
        raise AssertionError("adding text to a number was expected to fail")


@function(example={"a": 1})
def defective(a: int) -> int:
    """A function of a user's that has a defect."""
    return {1: 1}[a]


def test_the_place_is_the_users_where_a_function_of_the_users_is_defective():
    tools = Toolbox([defective, TASKS["arithmetic"].toolbox.functions["answer"]]).open()
    with pytest.raises(KeyError) as caught:
        tools.execute(Call("defective", {"a": 2}))
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
    kept = (folder / ".callwright/surprises/rollout.log").read_text()
    assert "attempt 0" in kept and "attempt 3" in kept and "attempt 1" not in kept
    assert log.summary().startswith("4 surprises, 3 times unexpected ValueError in test_surprises.py:")
    assert log.summary().endswith("please report it with .callwright/surprises/rollout.log")


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_exception_whose_text_cannot_be_made_is_a_surprise_like_any_other():
    surprise = surprise_of(UnspeakableError())
    assert surprise.exception_type == "UnspeakableError"
    assert surprise.message == "its text cannot be made (RuntimeError)"
