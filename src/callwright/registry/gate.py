"""The promotion rule: a pure function of metrics and thresholds. Whatever is missing or not a number refuses."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callwright.params import PromoteParams


@dataclass(frozen=True, slots=True)
class Promote:
    """The challenger earned its place."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """It did not; every reason in a sentence."""

    reasons: tuple[str, ...]


def decide(metrics: Mapping[str, Any], params: PromoteParams) -> Promote | Refuse:
    """Promote when accuracy, gain, its p-value and valid calls all meet their thresholds."""
    rules = (
        ("accuracy.student.overall.value", "accuracy", ">=", params.min_accuracy, "promote.min_accuracy"),
        ("gain.overall.low", "lower bound of the gain over the base", ">=", params.min_gain, "promote.min_gain"),
        ("gain.overall.p_mcnemar", "McNemar p-value of the gain", "<=", params.max_p_value, "promote.max_p_value"),
        ("valid_calls.student", "share of valid calls", ">=", params.min_valid_calls, "promote.min_valid_calls"),
    )
    reasons = []
    for path, words, relation, bound, name in rules:
        value = _number(metrics, path)
        if value is None:
            reasons.append(f"{path} is missing or not a number in the metrics")
        elif not (value >= bound if relation == ">=" else value <= bound):
            reasons.append(f"{words} is {value:.4g}, {name} asks for {relation} {bound:g}")
    return Refuse(tuple(reasons)) if reasons else Promote()


def _number(metrics: Mapping[str, Any], path: str) -> float | None:
    value: Any = metrics
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
