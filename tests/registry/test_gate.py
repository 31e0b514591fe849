"""The gate in every situation: it promotes if all bounds are kept, and refuses if anything is missing or in doubt."""

import json
import math
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from callwright.params import PromoteParams
from callwright.registry.gate import Facts, Promote, Refuse, decide
from callwright.reports.metrics import Inputs, Metrics
from callwright.reports.quality import Quality
from tests.reports.golden_files import GONE, dotted, golden, leaf_keys
from tests.reports.golden_files import with_value as with_value_at

PARAMS = PromoteParams(
    model_name="m",
    min_accuracy=0.7,
    min_gain=0.05,
    max_p_value=0.01,
    min_valid_calls=0.9,
    min_gain_over_champion=-0.02,
    max_task_regression=0.03,
    max_robustness_gap=None,
)
INPUTS = {"training": "t", "problems": "p", "base": "b", "student": "s", "champion": None}


def facts_of(**changes: str | None) -> Facts:
    return Facts(Inputs(**{**INPUTS, **changes}))


FACTS = facts_of()
AFTER_4 = facts_of(champion="4")
WITH_ROBUSTNESS = PARAMS.model_copy(update={"max_robustness_gap": 0.1})


def share(value: float) -> dict[str, float]:
    return {"value": value, "low": 0.0, "high": 1.0, "n": 10}


def gain(value: float, low: float = 0.0, p_mcnemar: float = 0.001) -> dict[str, float]:
    return {"value": value, "low": low, "high": 1.0, "p_mcnemar": p_mcnemar, "p_wilcoxon": 0.5}


def measured(value: float) -> dict[str, Any]:
    return {"overall": share(value), "sums": share(value), "sums/held_out": share(0.1), "proofs": share(0.8)}


GOOD: dict[str, Any] = {
    "accuracy": {"base": measured(0.6), "student": measured(0.9)},
    "gain": {
        "overall": gain(0.3, low=0.2),
        "sums": gain(0.3),
        "proofs": gain(0.0),
        "sums/held_out": gain(-0.9),
    },
    "gain_over_champion": {"overall": gain(0.02, low=0.01), "sums": gain(0.02), "proofs": gain(0.01)},
    "valid_calls": {"base": 0.9, "student": 0.99},
    "robustness": {
        "student": {
            "overall": {
                "original": share(0.9),
                "changed": share(0.85),
                "gap": {"value": 0.05, "low": 0.0, "high": 0.1},
            }
        }
    },
    "inputs": INPUTS,
}
BESIDE_4: dict[str, Any] = {**GOOD, "inputs": {**INPUTS, "champion": "4"}}
PASSED = golden("quality.json")["checks"][0] | {"name": "unique", "column": "id", "severity": "critical"}
QUALITY: dict[str, Any] = golden("quality.json") | {"checks": [PASSED]}


def with_value(metrics: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The metrics with another value at a dotted path, or without the path (GONE)."""
    return with_value_at(metrics, tuple(path.split(".")), value)


def reasons(
    metrics: dict[str, Any] = GOOD,
    facts: Facts = FACTS,
    params: PromoteParams = PARAMS,
    quality: dict[str, Any] = QUALITY,
) -> tuple[str, ...]:
    """The reasons of a refusal, with the reports read from JSON; empty: it is promoted."""
    verdict = decide(
        Metrics.parse(json.dumps(metrics), Path("metrics.json")),
        Quality.parse(json.dumps(quality), Path("quality.json")),
        facts,
        params,
    )
    assert isinstance(verdict, Promote | Refuse)
    assert isinstance(verdict, Promote) or verdict.reasons, "a refusal has reasons"
    return verdict.reasons if isinstance(verdict, Refuse) else ()


@pytest.mark.parametrize(
    ("metrics", "facts", "params"),
    [
        pytest.param(GOOD, FACTS, PARAMS, id="everything is good, without a champion"),
        pytest.param(BESIDE_4, AFTER_4, PARAMS, id="everything is good, with a champion"),
        pytest.param(with_value(BESIDE_4, "inputs.champion", 4), AFTER_4, PARAMS, id="a version written as a number"),
        pytest.param(GOOD, FACTS, WITH_ROBUSTNESS, id="robust enough if robustness is required"),
        pytest.param(with_value(GOOD, "robustness", GONE), FACTS, PARAMS, id="robustness is not required"),
        pytest.param(GOOD, replace(AFTER_4, is_champion=True), PARAMS, id="it is the champion itself"),
        pytest.param(with_value(GOOD, "gain_over_champion", GONE), FACTS, PARAMS, id="without a champion"),
        pytest.param(with_value(GOOD, "accuracy.student.overall.value", 0.7), FACTS, PARAMS, id="accuracy at bound"),
        pytest.param(with_value(GOOD, "gain.overall.low", 0.05), FACTS, PARAMS, id="gain at its bound"),
        pytest.param(with_value(GOOD, "gain.overall.p_mcnemar", 0.01), FACTS, PARAMS, id="p-value at its bound"),
        pytest.param(with_value(GOOD, "valid_calls.student", 0.9), FACTS, PARAMS, id="valid calls at their bound"),
        pytest.param(with_value(GOOD, "gain.proofs.value", -0.03), FACTS, PARAMS, id="a task's loss at its bound"),
        pytest.param(with_value(BESIDE_4, "gain_over_champion.overall.low", -0.02), AFTER_4, PARAMS,
                     id="gain over the champion at its bound"),
    ],
)  # fmt: skip
def test_a_student_that_keeps_every_bound_is_promoted(metrics, facts, params):
    assert reasons(metrics, facts, params) == ()


@pytest.mark.parametrize(
    ("metrics", "facts", "params", "reason"),
    [
        (with_value(GOOD, "accuracy.student.overall.value", 0.699), FACTS, PARAMS,
         "accuracy is 0.699, promote.min_accuracy asks for >= 0.7"),
        (with_value(GOOD, "gain.overall.low", 0.049), FACTS, PARAMS,
         "lower bound of the gain over the base is 0.049, promote.min_gain asks for >= 0.05"),
        (with_value(GOOD, "gain.overall.p_mcnemar", 0.0101), FACTS, PARAMS,
         "McNemar p-value of the gain is 0.0101, promote.max_p_value asks for <= 0.01"),
        (with_value(GOOD, "valid_calls.student", 0.899), FACTS, PARAMS,
         "share of valid calls is 0.899, promote.min_valid_calls asks for >= 0.9"),
        (with_value(GOOD, "gain.proofs.value", -0.031), FACTS, PARAMS,
         "gain over the base in proofs is -0.031, promote.max_task_regression asks for >= -0.03"),
        (with_value(BESIDE_4, "gain_over_champion.overall.low", -0.021), AFTER_4, PARAMS,
         "lower bound of the gain over the champion is -0.021, promote.min_gain_over_champion asks for >= -0.02"),
        (with_value(BESIDE_4, "gain_over_champion.sums.value", -0.05), AFTER_4, PARAMS,
         "gain over the champion in sums is -0.05, promote.max_task_regression asks for >= -0.03"),
        (with_value(GOOD, "robustness.student.overall.gap.value", 0.11), FACTS, WITH_ROBUSTNESS,
         "accuracy lost on changed problems is 0.11, promote.max_robustness_gap asks for <= 0.1"),
        (GOOD, replace(FACTS, rolled_back="3"), PARAMS,
         "version 3 is this student and was rolled back: callwright rollback brings it back"),
        (GOOD, replace(FACTS, changed_reports=("reports/quality.json",)), PARAMS,
         "reports/quality.json differs from what dvc.lock recorded: run dvc repro"),
        (GOOD, AFTER_4, PARAMS,
         "the metrics compare with none, and the champion is version 4 now: "
         "run dvc repro --force --single-item evaluate, then dvc repro"),
    ],
)  # fmt: skip
def test_one_missed_bound_gives_one_reason(metrics, facts, params, reason):
    all_reasons = reasons(metrics, facts, params)
    missed = [line for line in all_reasons if "gain_over_champion" not in line or "gain_over_champion" in reason]
    assert missed == [reason]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("training", "the student's training changed since the metrics were measured"),
        ("problems", "the test problems changed since"),
        ("base", "the base changed since"),
        ("student", "the student changed since"),
    ],
)
def test_metrics_of_other_inputs_are_refused(name, says):
    (reason,) = reasons(facts=facts_of(**{name: "another"}))
    assert reason.startswith(says)


@pytest.mark.parametrize(
    ("measured", "now"),
    [("3", AFTER_4), (None, AFTER_4), ("4", FACTS)],
    ids=["another champion now", "a champion now", "no champion now"],
)
def test_metrics_compared_with_another_champion_are_refused(measured, now):
    all_reasons = reasons(with_value(GOOD, "inputs.champion", measured), now)
    assert len(all_reasons) == 1
    assert all_reasons[0].startswith("the metrics compare with")


@pytest.mark.parametrize("name", ["training", "problems", "base", "student", "champion"])
def test_metrics_with_a_missing_input_are_refused(name):
    assert reasons(with_value(GOOD, f"inputs.{name}", GONE)) == (f"inputs.{name} is missing in the metrics",)


def test_metrics_without_inputs_are_refused():
    (reason,) = reasons(with_value(GOOD, "inputs", GONE))
    assert reason.startswith("inputs are missing in the metrics")


NUMBERS = (
    "accuracy.student.overall.value",
    "gain.overall.low",
    "gain.overall.p_mcnemar",
    "gain.sums.value",
    "gain.proofs.value",
    "gain_over_champion.overall.low",
    "gain_over_champion.sums.value",
    "valid_calls.student",
    "robustness.student.overall.gap.value",
)


@pytest.mark.parametrize("path", NUMBERS)
@pytest.mark.parametrize("bad", [GONE, None, math.nan, math.inf, -math.inf, "0.99", True, [0.99], 1.5, -1.5], ids=repr)
def test_a_missing_or_invalid_number_is_refused(path, bad):
    (reason,) = reasons(with_value(BESIDE_4, path, bad), AFTER_4, WITH_ROBUSTNESS)
    assert reason.startswith(f"{path} is missing or not a number from ")


@pytest.mark.parametrize("path", ["accuracy", "gain", "gain_over_champion", "valid_calls", "robustness", "inputs"])
@pytest.mark.parametrize("bad", [GONE, None, math.nan, [], {}, "good"], ids=repr)
def test_a_missing_or_invalid_section_is_refused_by_name(path, bad):
    all_reasons = reasons(with_value(BESIDE_4, path, bad), AFTER_4, WITH_ROBUSTNESS)
    assert all_reasons
    assert [reason for reason in all_reasons if not reason.startswith(path)] == []


OPTIONAL = (  # may be missing: the gate does not judge them, and pages omit what was not measured
    *("schema_version", "grounded", "calls", "tokens", "seconds_per_problem", "seconds", "faults", "first_faults"),
    *("engine", "dropped", "valid_calls.teacher"),
)
LENIENT = PromoteParams(
    model_name="m",
    min_accuracy=0.0,
    min_gain=-1.0,
    max_p_value=1.0,
    min_valid_calls=0.0,
    min_gain_over_champion=-1.0,
    max_task_regression=1.0,
    max_robustness_gap=1.0,
)
MEASURED = with_value(golden("metrics.json"), "inputs.champion", "4")
NOW = Facts(Inputs(**MEASURED["inputs"]))


@pytest.mark.parametrize("bad", [GONE, None, math.nan, math.inf, "", True, [], {}, -2], ids=repr)
def test_each_missing_or_bad_value_of_the_metrics_is_refused_by_its_name(bad):
    """Over all values of the file. The champion may be null, an empty text or a number, but is another one then."""
    assert reasons(MEASURED, NOW, LENIENT, golden("quality.json")) == ()
    for key in leaf_keys(MEASURED):
        all_reasons = reasons(with_value_at(MEASURED, key, bad), NOW, LENIENT, golden("quality.json"))
        name = dotted(key)
        if bad is GONE and name.startswith(OPTIONAL):
            assert all_reasons == ()
        elif bad in (None, "", -2) and name == "inputs.champion":
            assert "the metrics compare with" in all_reasons[0]
        elif bad is not None or name != "engine":
            (reason,) = all_reasons
            assert reason.startswith(f"{name} ")
            assert reason.endswith(" in the metrics")


@pytest.mark.parametrize("bad", [GONE, None, math.nan, [], {}, 3.5], ids=repr)
def test_each_missing_or_bad_value_of_the_quality_report_is_refused_by_its_name(bad):
    quality = golden("quality.json")
    for key in leaf_keys(quality):
        all_reasons = reasons(quality=with_value_at(quality, key, bad))
        may_be_missing = key[0] in ("correct", "first_faults", "quarantine_reasons") or "rows" in key
        named = [reason for reason in all_reasons if reason.startswith(f"{dotted(key)} ")]
        assert named or (bad is GONE and may_be_missing), (key, all_reasons)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"checks": []}, "the quality report has no checks"),
        ({"checks": None}, "checks is not a list in the quality report"),
        ({"checks": [PASSED, {**PASSED, "success": False}]}, "the data failed a critical check: id unique"),
        ({"checks": [{**PASSED, "success": None}]}, "checks.0.success is not true or false in the quality report"),
        ({"checks": [{**PASSED, "success": "yes"}]}, "checks.0.success is not true or false in the quality report"),
        ({"checks": [{**PASSED, "severity": None}]}, "checks.0.severity is not a text in the quality report"),
        ({"checks": [{**PASSED, "severity": "Critical", "success": False}]}, "the data failed a critical check"),
        ({"checks": [PASSED, "all is well"]}, "checks.1 is not an object in the quality report"),
    ],
)
def test_data_without_proof_of_passed_checks_is_refused(changes, says):
    (reason,) = reasons(quality=QUALITY | changes)
    assert reason.startswith(says)


def test_a_failed_check_of_severity_warning_is_not_a_reason():
    assert reasons(quality=QUALITY | {"checks": [PASSED, {**PASSED, "severity": "warning", "success": False}]}) == ()


def test_a_student_without_a_measured_task_is_refused():
    assert reasons(with_value(GOOD, "accuracy.student", {"overall": share(0.9)})) == (
        "accuracy.student names no task in the metrics",
    )


def test_a_task_that_only_the_base_was_measured_on_still_counts():
    student = {"overall": share(0.9), "sums": share(0.9)}
    accuracy = {"student": student, "base": {"overall": share(0.8), "proofs": share(0.8)}}
    lost = with_value(with_value(GOOD, "accuracy", accuracy), "gain.proofs.value", -0.5)
    assert reasons(lost) == ("gain over the base in proofs is -0.5, promote.max_task_regression asks for >= -0.03",)
    assert reasons(with_value(lost, "gain.proofs", GONE))[0].startswith("gain.proofs.value is missing")


def test_a_loss_in_a_slice_of_a_task_is_not_a_reason():
    """GOOD loses 90 points in the slice sums/held_out, which the gate ignores."""
    assert reasons() == ()


@pytest.mark.parametrize("task", ["word/puzzles", "v1.5", "Q&A", "a.b/c.d", "overall/sums"])
def test_a_task_is_judged_for_any_name(task):
    """Tasks are loaded only under simple names; metrics from elsewhere may have others."""
    metrics = deepcopy(GOOD)
    metrics["accuracy"]["student"][task] = share(0.5)
    assert reasons(metrics) == (f"gain.{task}.value is missing or not a number from -1 to 1 in the metrics",)
    metrics["gain"][task] = gain(-0.4)
    assert reasons(metrics) == (f"gain over the base in {task} is -0.4, promote.max_task_regression asks for >= -0.03",)
    metrics["gain"][task] = gain(0.1)
    assert reasons(metrics) == ()


@settings(derandomize=True)
@given(st.text(min_size=1, max_size=12), st.floats(-1, 1))
def test_a_worse_task_is_refused_for_any_name(task, gained):
    assume(task not in GOOD["gain"] and task.partition("/")[0] not in ("sums", "proofs"))
    metrics = deepcopy(GOOD)
    metrics["accuracy"]["student"][task] = share(0.5)
    metrics["gain"][task] = gain(gained)
    assert bool(reasons(metrics)) == (gained < -PARAMS.max_task_regression)


def test_all_reasons_are_listed():
    all_reasons = reasons({}, replace(AFTER_4, rolled_back="3"), WITH_ROBUSTNESS, {})
    missing = [reason for reason in all_reasons if reason.endswith(" in the metrics")]
    assert len(missing) == 2 * 4 + 5 + 2  # overall accuracy and valid calls of base and student, and overall gain
    assert len([reason for reason in all_reasons if reason.endswith(" in the quality report")]) == 4
    assert len(all_reasons) == 15 + 4 + 1  # and the rollback
