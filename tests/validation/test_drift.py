"""Versions of the data, and their history file."""

import pandas as pd
import pytest

from callwright.errors import DataError
from callwright.validation import drift
from callwright.validation.drift import describe_version, previous_version, record


def version(*tasks: str, data: bytes = b"") -> drift.Version:
    rows = [("m", True, "none", 2, task) for task in tasks]
    frame = pd.DataFrame(rows, columns=["model", "correct", "first_fault", "steps", "task"])
    return describe_version(frame, [data or "".join(tasks).encode()])


def test_a_version_has_the_share_of_each_value():
    assert version("a", "b", "b", "b").shares == {
        "task": {"a": 1 / 4, "b": 3 / 4},
        "model": {"m": 1.0},
        "correct": {"True": 1.0},
        "first_fault": {"none": 1.0},
        "steps": {"2": 1.0},
    }


def test_the_first_version_has_no_previous_one_and_the_second_has_the_first(tmp_path):
    history = tmp_path / "history.json"
    first, second = version("a"), version("a", "b")
    assert previous_version(history, first) is None
    record(history, first)
    assert previous_version(history, second) == first


def test_validating_the_same_data_again_compares_with_the_same_version(tmp_path):
    history = tmp_path / "history.json"
    first, second = version("a"), version("a", "b")
    record(history, first)
    assert previous_version(history, first) is None  # the same as before it was recorded
    record(history, second)
    record(history, second)
    assert previous_version(history, second) == first
    assert previous_version(history, version("b")) == second


def test_different_data_with_the_same_shares_is_a_different_version():
    assert version("a", data=b"one").data != version("a", data=b"two").data


def test_a_broken_history_says_what_to_do(tmp_path):
    (tmp_path / "history.json").write_text('{"latest": 3}')
    with pytest.raises(DataError, match=r"history\.json \(delete it to begin anew\): latest: "):
        previous_version(tmp_path / "history.json", version("a"))
