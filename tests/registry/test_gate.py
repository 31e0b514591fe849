"""The gate in every situation: it promotes if all bounds are kept, and refuses if anything is missing or in doubt."""

import math
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from callwright.params import PromoteParams
from callwright.registry.gate import Facts, Promote, Refuse, decide

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
FACTS = Facts(INPUTS)
AFTER_4 = Facts({**INPUTS, "champion": "4"})
WITH_ROBUSTNESS = PARAMS.model_copy(update={"max_robustness_gap": 0.1})
GOOD: dict[str, Any] = {
    "accuracy": {
        "student": {
            "overall": {"value": 0.9},
            "sums": {"value": 0.9},
            "sums/held_out": {"value": 0.1},
            "proofs": {"value": 0.8},
        }
    },
    "gain": {
        "overall": {"low": 0.2, "p_mcnemar": 0.001},
        "sums": {"value": 0.3},
        "proofs": {"value": 0.0},
        "sums/held_out": {"value": -0.9},
    },
    "gain_over_champion": {"overall": {"low": 0.01}, "sums": {"value": 0.02}, "proofs": {"value": 0.01}},
    "valid_calls": {"student": 0.99},
    "robustness": {"student": {"overall": {"gap": {"value": 0.05}}}},
    "inputs": INPUTS,
}
BESIDE_4: dict[str, Any] = {**GOOD, "inputs": {**INPUTS, "champion": "4"}}
PASSED = {"name": "unique", "column": "id", "severity": "critical", "success": True}
QUALITY: dict[str, Any] = {"checks": [PASSED]}
GONE = "(gone)"  # a string, so that a test has the same name in every process


def with_value(metrics: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The metrics with another value at a dotted path, or without the path (GONE)."""
    metrics = deepcopy(metrics)
    inner, *outer = reversed(path.split("."))
    section = metrics
    for key in reversed(outer):
        section = section[key]
    if value is GONE:
        del section[inner]
    else:
        section[inner] = value
    return metrics


def reasons(
    metrics: dict[str, Any] = GOOD,
    facts: Facts = FACTS,
    params: PromoteParams = PARAMS,
    quality: dict[str, Any] = QUALITY,
) -> tuple[str, ...]:
    """The reasons of a refusal; empty: it is promoted."""
    verdict = decide(metrics, quality, facts, params)
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
    (reason,) = reasons(facts=Facts({**INPUTS, name: "another"}))
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
    assert reasons(with_value(GOOD, "inputs", GONE))[0].startswith("inputs are missing in the metrics")


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
@pytest.mark.parametrize("bad", [GONE, None, math.nan, [], "good"], ids=repr)
def test_a_missing_or_invalid_section_is_refused(path, bad):
    assert reasons(with_value(BESIDE_4, path, bad), AFTER_4, WITH_ROBUSTNESS)


@pytest.mark.parametrize(
    ("quality", "says"),
    [
        ({}, "the quality report has no checks"),
        ({"checks": []}, "the quality report has no checks"),
        ({"checks": None}, "the quality report has no checks"),
        ({"checks": [PASSED, {**PASSED, "success": False}]}, "the data failed a critical check: id unique"),
        ({"checks": [{**PASSED, "success": None}]}, "the data failed a critical check: id unique"),
        ({"checks": [{"success": "yes"}]}, "the data failed a critical check"),
        ({"checks": [{**PASSED, "severity": None, "success": False}]}, "the data failed a critical check: id unique"),
        ({"checks": [{**PASSED, "severity": "Critical", "success": False}]}, "the data failed a critical check"),
        ({"checks": ["all is well"]}, "the quality report has an entry that is not a check"),
    ],
)
def test_data_without_proof_of_passed_checks_is_refused(quality, says):
    (reason,) = reasons(quality=quality)
    assert reason.startswith(says)


def test_a_failed_check_of_severity_warning_is_not_a_reason():
    assert reasons(quality={"checks": [PASSED, {**PASSED, "severity": "warning", "success": False}]}) == ()


def test_a_student_without_a_measured_task_is_refused():
    assert reasons(with_value(GOOD, "accuracy.student", {"overall": {"value": 0.9}})) == (
        "accuracy.student names no task in the metrics",
    )


def test_a_task_that_only_the_base_was_measured_on_still_counts():
    accuracy = {"student": {"overall": {"value": 0.9}, "sums": {"value": 0.9}}, "base": {"proofs": {"value": 0.8}}}
    lost = with_value(with_value(GOOD, "accuracy", accuracy), "gain.proofs.value", -0.5)
    assert reasons(lost) == ("gain over the base in proofs is -0.5, promote.max_task_regression asks for >= -0.03",)
    assert reasons(with_value(lost, "gain.proofs", GONE))[0].startswith("gain.proofs.value is missing")


def test_a_loss_in_a_slice_of_a_task_is_not_a_reason():
    """GOOD loses 90 points in the slice sums/held_out, which the gate ignores."""
    assert reasons() == ()


@pytest.mark.parametrize("task", ["word/puzzles", "v1.5", "Q&A", "a.b/c.d", "overall/sums"])
def test_a_task_is_judged_for_any_name(task):
    """Tasks are loaded only under simple names; metrics from elsewhere may have others."""
    measured = deepcopy(GOOD)
    measured["accuracy"]["student"][task] = {"value": 0.5}
    assert reasons(measured) == (f"gain.{task}.value is missing or not a number from -1 to 1 in the metrics",)
    measured["gain"][task] = {"value": -0.4}
    assert reasons(measured) == (
        f"gain over the base in {task} is -0.4, promote.max_task_regression asks for >= -0.03",
    )
    measured["gain"][task] = {"value": 0.1}
    assert reasons(measured) == ()


@settings(derandomize=True)
@given(st.text(min_size=1, max_size=12), st.floats(-1, 1))
def test_a_worse_task_is_refused_for_any_name(task, gained):
    assume(task not in GOOD["gain"] and task.partition("/")[0] not in ("sums", "proofs"))
    measured = deepcopy(GOOD)
    measured["accuracy"]["student"][task] = {"value": 0.5}
    measured["gain"][task] = {"value": gained}
    assert bool(reasons(measured)) == (gained < -PARAMS.max_task_regression)


def test_all_reasons_are_listed():
    all_reasons = reasons({}, AFTER_4, WITH_ROBUSTNESS, {})
    # inputs as a whole and its five entries, no checks, no tasks, and six numbers: accuracy, gain, p, calls, gain over
    # the champion, robustness
    assert len(all_reasons) == 6 + 1 + 1 + 6
