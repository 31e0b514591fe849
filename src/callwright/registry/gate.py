"""The promotion rule: a pure function of metrics, the inputs they were measured on, and thresholds.

The gate refuses if a value is missing, not a number, or measured on other inputs than the current ones.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from callwright.params import PromoteParams

OVERALL = "overall"
WARNING = "warning"  # severity of a check; any other severity counts as critical
Bounds = tuple[float, float]
SHARE_RANGE: Bounds = (0.0, 1.0)
DIFFERENCE_RANGE: Bounds = (-1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Promote:
    """Every condition is met."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """At least one condition is not met; one sentence for each."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """The current state, which the gate compares with what the metrics were measured on.

    Attributes:
        inputs: hashes of training, problems, base and student, and the champion's version (None if there is no
            champion), as `callwright.registry.facts.current_inputs` returns them.
        is_champion: whether the champion is this student.
        rolled_back: the student's version, if it was champion and was rolled back.
        changed_reports: paths of reports that differ from what dvc.lock recorded.
    """

    inputs: Mapping[str, str | None]
    is_champion: bool = False
    rolled_back: str | None = None
    changed_reports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A number of the metrics and its bound.

    Attributes:
        path: the keys that lead to the number, from the outside in; a task's name is one key, even with dots in it.
        description: names the number in a refusal.
        bound: the least value, or the greatest if `at_least` is False.
        param: the key of the bound in params.promote.
        valid_range: inclusive; a value outside it counts as missing.
    """

    path: tuple[str, ...]
    description: str
    bound: float
    param: str
    at_least: bool = True
    valid_range: Bounds = DIFFERENCE_RANGE


def decide(
    metrics: Mapping[str, Any], quality: Mapping[str, Any], facts: Facts, params: PromoteParams
) -> Promote | Refuse:
    """Promote if the metrics were measured on the current inputs, the data passed its checks, and no bound is missed.

    Args:
        metrics: reports/metrics.json.
        quality: reports/quality.json.
        facts: the current state of project and registry.
    """
    reasons = [
        *_stale_inputs(metrics, facts),
        *_failed_checks(quality),
        *_missing_tasks(metrics),
        *_missed_bounds(metrics, _rules(metrics, facts, params)),
    ]
    return Refuse(tuple(reasons)) if reasons else Promote()


def _stale_inputs(metrics: Mapping[str, Any], facts: Facts) -> Iterator[str]:
    measured = metrics.get("inputs")
    if not isinstance(measured, Mapping):
        yield "inputs are missing in the metrics: what they were measured on is unknown; run evaluate again"
        measured = {}
    for name, description in (
        ("training", "the student's training"),
        ("problems", "the test problems"),
        ("base", "the base"),
        ("student", "the student"),
    ):
        if not measured.get(name):
            yield f"inputs.{name} is missing in the metrics"
        elif measured[name] != facts.inputs[name]:
            yield f"{description} changed since the metrics were measured (inputs.{name}): run evaluate again"
    if not facts.is_champion:
        yield from _champion_mismatch(measured, facts)
    for path in facts.changed_reports:
        yield f"{path} differs from what dvc.lock recorded: run dvc repro"
    if facts.rolled_back is not None:
        yield f"version {facts.rolled_back} is this student and was rolled back: callwright rollback brings it back"


def _champion_mismatch(measured: Mapping[str, Any], facts: Facts) -> Iterator[str]:
    if "champion" not in measured:
        yield "inputs.champion is missing in the metrics"
        return
    compared = None if measured["champion"] is None else str(measured["champion"])
    if compared != facts.inputs["champion"]:
        yield (
            f"the metrics compare with {_version_label(compared)}, "
            f"and the champion is {_version_label(facts.inputs['champion'])} now: "
            "run dvc repro --force --single-item evaluate, then dvc repro"
        )


def _version_label(champion: str | None) -> str:
    return f"version {champion}" if champion else "none"


def _failed_checks(quality: Mapping[str, Any]) -> Iterator[str]:
    checks = quality.get("checks")
    if not isinstance(checks, list) or not checks:
        yield "the quality report has no checks"
        return
    for check in checks:
        if not isinstance(check, Mapping):
            yield f"the quality report has an entry that is not a check: {check!r}"
            continue
        if check.get("severity") != WARNING and check.get("success") is not True:
            yield f"the data failed a critical check: {check.get('column', '')} {check.get('name', 'without name')}"


def _rules(metrics: Mapping[str, Any], facts: Facts, params: PromoteParams) -> Iterator[Rule]:
    tasks = list(dict.fromkeys([*_measured_tasks(metrics, "student"), *_measured_tasks(metrics, "base")]))
    yield Rule(
        ("accuracy", "student", OVERALL, "value"),
        "accuracy",
        params.min_accuracy,
        "min_accuracy",
        valid_range=SHARE_RANGE,
    )
    yield Rule(("gain", OVERALL, "low"), "lower bound of the gain over the base", params.min_gain, "min_gain")
    yield Rule(
        ("gain", OVERALL, "p_mcnemar"),
        "McNemar p-value of the gain",
        params.max_p_value,
        "max_p_value",
        False,
        SHARE_RANGE,
    )
    yield Rule(
        ("valid_calls", "student"),
        "share of valid calls",
        params.min_valid_calls,
        "min_valid_calls",
        valid_range=SHARE_RANGE,
    )
    yield from _regression_rules("gain", "base", tasks, params)
    if facts.inputs["champion"] is not None and not facts.is_champion:
        path = ("gain_over_champion", OVERALL, "low")
        description = "lower bound of the gain over the champion"
        yield Rule(path, description, params.min_gain_over_champion, "min_gain_over_champion")
        yield from _regression_rules("gain_over_champion", "champion", tasks, params)
    if params.max_robustness_gap is not None:
        yield Rule(
            ("robustness", "student", OVERALL, "gap", "value"),
            "accuracy lost on changed problems",
            params.max_robustness_gap,
            "max_robustness_gap",
            False,
        )


def _missing_tasks(metrics: Mapping[str, Any]) -> Iterator[str]:
    if not _measured_tasks(metrics, "student"):
        yield "accuracy.student names no task in the metrics"


def _measured_tasks(metrics: Mapping[str, Any], model: str) -> list[str]:
    """Tasks that a model was measured on: all slices that are not within another slice, so that no task is missed."""
    slices = _value_at(metrics, ("accuracy", model))
    if not isinstance(slices, Mapping):
        return []
    return [name for name in slices if name != OVERALL and not _is_within_a_task(name, slices)]


def _is_within_a_task(name: str, slices: Mapping[str, Any]) -> bool:
    task, slash, _ = name.partition("/")
    return bool(slash) and task != OVERALL and task in slices


def _regression_rules(gain: str, compared_with: str, tasks: list[str], params: PromoteParams) -> Iterator[Rule]:
    """Bounds on the gain in each task.

    They apply to the gain itself, not to its lower bound: a task has few problems, so a lower bound would refuse nearly
    every student.
    """
    for task in tasks:
        description = f"gain over the {compared_with} in {task}"
        yield Rule((gain, task, "value"), description, -params.max_task_regression, "max_task_regression")


def _missed_bounds(metrics: Mapping[str, Any], rules: Iterator[Rule]) -> Iterator[str]:
    for rule in rules:
        value = _number(metrics, rule)
        relation = ">=" if rule.at_least else "<="
        if value is None:
            low, high = rule.valid_range
            yield f"{'.'.join(rule.path)} is missing or not a number from {low:g} to {high:g} in the metrics"
        elif not (value >= rule.bound if rule.at_least else value <= rule.bound):
            yield f"{rule.description} is {value:.4g}, promote.{rule.param} asks for {relation} {rule.bound:g}"


def _number(metrics: Mapping[str, Any], rule: Rule) -> float | None:
    value = _value_at(metrics, rule.path)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    low, high = rule.valid_range
    return float(value) if low <= value <= high else None


def _value_at(metrics: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = metrics
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value
