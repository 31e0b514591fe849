"""The promotion rule: a pure function of metrics, the inputs they were measured on, and thresholds.

The gate refuses if a value is missing, not a number, or measured on other inputs than the current ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from callwright.params import PromoteParams
from callwright.reports.metrics import Gain, Inputs, Interval, Metrics
from callwright.reports.quality import Quality
from callwright.reports.report import InvalidReport
from callwright.reports.values import DIFFERENCE_RANGE, OVERALL, SHARE_RANGE, BySlice, expected_number

WARNING = "warning"  # severity of a check; any other severity counts as critical


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
        inputs: what is on disk and in the registry now (`callwright.registry.facts.current_inputs`).
        is_champion: whether the champion is this student.
        rolled_back: the student's version, if it was champion and was rolled back.
        changed_reports: paths of reports that differ from what dvc.lock recorded.
    """

    inputs: Inputs
    is_champion: bool = False
    rolled_back: str | None = None
    changed_reports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A number of the metrics and its bound.

    Attributes:
        key: of the number in reports/metrics.json.
        value: None if it was not measured.
        description: names the number in a refusal.
        bound: the least value, or the greatest if `at_least` is False.
        param: the key of the bound in params.promote.
        valid_range: of any such number, for the refusal if it was not measured.
    """

    key: str
    value: float | None
    description: str
    bound: float
    param: str
    at_least: bool = True
    valid_range: tuple[float, float] = DIFFERENCE_RANGE


def decide(
    metrics: Metrics | InvalidReport, quality: Quality | InvalidReport, facts: Facts, params: PromoteParams
) -> Promote | Refuse:
    """Promote if the metrics were measured on the current inputs, the data passed its checks, and no bound is missed.

    An invalid report is refused; each of its bad values is a reason.

    Args:
        facts: the current state of project and registry.
    """
    reasons = [*_changes_of_the_project(facts), *_failed_checks(quality)]
    if isinstance(metrics, InvalidReport):
        reasons = [*(f"{error} in the metrics" for error in metrics.errors), *reasons]
    else:
        missed = _missed_bounds(_rules(metrics, facts, params))
        reasons = [*_stale_inputs(metrics.inputs, facts), *reasons, *_missing_tasks(metrics), *missed]
    return Refuse(tuple(reasons)) if reasons else Promote()


def _stale_inputs(measured: Inputs | None, facts: Facts) -> Iterator[str]:
    if measured is None:
        yield "inputs are missing in the metrics: what they were measured on is unknown; run evaluate again"
        return
    now = facts.inputs
    for name, description, is_stale in (
        ("training", "the student's training", measured.training != now.training),
        ("problems", "the test problems", measured.problems != now.problems),
        ("base", "the base", measured.base != now.base),
        ("student", "the student", measured.student != now.student),
    ):
        if is_stale:
            yield f"{description} changed since the metrics were measured (inputs.{name}): run evaluate again"
    if not facts.is_champion and measured.champion != now.champion:
        yield (
            f"the metrics compare with {_version_label(measured.champion)}, "
            f"and the champion is {_version_label(now.champion)} now: "
            "run dvc repro --force --single-item evaluate, then dvc repro"
        )


def _version_label(champion: str | None) -> str:
    return f"version {champion}" if champion else "none"


def _changes_of_the_project(facts: Facts) -> Iterator[str]:
    for path in facts.changed_reports:
        yield f"{path} differs from what dvc.lock recorded: run dvc repro"
    if facts.rolled_back is not None:
        yield f"version {facts.rolled_back} is this student and was rolled back: callwright rollback brings it back"


def _failed_checks(quality: Quality | InvalidReport) -> Iterator[str]:
    if isinstance(quality, InvalidReport):
        yield from (f"{error} in the quality report" for error in quality.errors)
        return
    if not quality.checks:
        yield "the quality report has no checks"
    for check in quality.checks:
        if check.severity != WARNING and not check.success:
            yield f"the data failed a critical check: {check.column} {check.name}"


def _rules(metrics: Metrics, facts: Facts, params: PromoteParams) -> Iterator[Rule]:
    accuracy, gain = metrics.accuracy, metrics.gain
    tasks = list(dict.fromkeys([*_measured_tasks(accuracy.student), *_measured_tasks(accuracy.base)]))
    yield Rule(
        "accuracy.student.overall.value",
        accuracy.student.overall.value,
        "accuracy",
        params.min_accuracy,
        "min_accuracy",
        valid_range=SHARE_RANGE,
    )
    yield Rule(
        "gain.overall.low", gain.overall.low, "lower bound of the gain over the base", params.min_gain, "min_gain"
    )
    yield Rule(
        "gain.overall.p_mcnemar",
        gain.overall.p_mcnemar,
        "McNemar p-value of the gain",
        params.max_p_value,
        "max_p_value",
        at_least=False,
        valid_range=SHARE_RANGE,
    )
    yield Rule(
        "valid_calls.student",
        metrics.valid_calls.student,
        "share of valid calls",
        params.min_valid_calls,
        "min_valid_calls",
        valid_range=SHARE_RANGE,
    )
    yield from _regression_rules("gain", gain, "base", tasks, params)
    if facts.inputs.champion is not None and not facts.is_champion:
        over_champion = metrics.gain_over_champion
        yield Rule(
            "gain_over_champion.overall.low",
            over_champion.overall.low if over_champion else None,
            "lower bound of the gain over the champion",
            params.min_gain_over_champion,
            "min_gain_over_champion",
        )
        yield from _regression_rules("gain_over_champion", over_champion or {}, "champion", tasks, params)
    if params.max_robustness_gap is not None:
        changes = metrics.robustness.get("student")
        yield Rule(
            "robustness.student.overall.gap.value",
            changes.overall.gap.value if changes else None,
            "accuracy lost on changed problems",
            params.max_robustness_gap,
            "max_robustness_gap",
            at_least=False,
        )


def _missing_tasks(metrics: Metrics) -> Iterator[str]:
    if not _measured_tasks(metrics.accuracy.student):
        yield "accuracy.student names no task in the metrics"


def _measured_tasks(slices: BySlice[Interval]) -> list[str]:
    """Tasks that a model was measured on: all slices that are not within another slice, so that no task is missed."""
    return [name for name in slices if name != OVERALL and not _is_within_a_task(name, slices)]


def _is_within_a_task(name: str, slices: BySlice[Interval]) -> bool:
    task, slash, _ = name.partition("/")
    return bool(slash) and task != OVERALL and task in slices


def _regression_rules(
    key: str, gain: Mapping[str, Gain], compared_with: str, tasks: list[str], params: PromoteParams
) -> Iterator[Rule]:
    """Bounds on the gain in each task.

    They apply to the gain itself, not to its lower bound: a task has few problems, so a lower bound would refuse nearly
    every student.

    Args:
        key: of the gain in reports/metrics.json.
    """
    for task in tasks:
        value = gain[task].value if task in gain else None
        description = f"gain over the {compared_with} in {task}"
        yield Rule(f"{key}.{task}.value", value, description, -params.max_task_regression, "max_task_regression")


def _missed_bounds(rules: Iterator[Rule]) -> Iterator[str]:
    for rule in rules:
        relation = ">=" if rule.at_least else "<="
        if rule.value is None:
            yield f"{rule.key} {expected_number(*rule.valid_range)} in the metrics"
        elif not (rule.value >= rule.bound if rule.at_least else rule.value <= rule.bound):
            yield f"{rule.description} is {rule.value:.4g}, promote.{rule.param} asks for {relation} {rule.bound:g}"
