import math
from copy import deepcopy
from typing import Any

import pytest

from callwright.params import PromoteParams
from callwright.registry.gate import Promote, Refuse, decide

PARAMS = PromoteParams(model_name="m", min_accuracy=0.7, min_gain=0.05, max_p_value=0.01, min_valid_calls=0.9)
GOOD: dict[str, Any] = {
    "accuracy": {"student": {"overall": {"value": 0.9}}},
    "gain": {"overall": {"low": 0.2, "p_mcnemar": 0.001}},
    "valid_calls": {"student": 0.99},
}
PATHS = (
    ("accuracy", "student", "overall", "value"),
    ("gain", "overall", "low"),
    ("gain", "overall", "p_mcnemar"),
    ("valid_calls", "student"),
)


def with_value(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    metrics = deepcopy(GOOD)
    inner = metrics
    for part in path[:-1]:
        inner = inner[part]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return metrics


def test_a_student_that_meets_every_threshold_is_promoted():
    assert decide(GOOD, PARAMS) == Promote()


@pytest.mark.parametrize(("path", "bound"), zip(PATHS, (0.7, 0.05, 0.01, 0.9), strict=True))
def test_a_value_on_its_threshold_is_enough(path, bound):
    assert decide(with_value(path, bound), PARAMS) == Promote()


@pytest.mark.parametrize(("path", "bad"), zip(PATHS, (0.699, 0.049, 0.0101, 0.899), strict=True))
def test_a_value_beyond_its_threshold_refuses_with_one_reason(path, bad):
    verdict = decide(with_value(path, bad), PARAMS)
    assert isinstance(verdict, Refuse)
    assert len(verdict.reasons) == 1
    assert "asks for" in verdict.reasons[0]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("bad", [None, math.nan, math.inf, "0.99", True, [0.99]])
def test_whatever_is_missing_or_no_number_refuses(path, bad):
    verdict = decide(with_value(path, bad), PARAMS)
    assert isinstance(verdict, Refuse)
    assert f"{'.'.join(path)} is missing or not a number" in verdict.reasons[0]


def test_every_reason_is_named():
    verdict = decide({}, PARAMS)
    assert isinstance(verdict, Refuse)
    assert len(verdict.reasons) == len(PATHS)
