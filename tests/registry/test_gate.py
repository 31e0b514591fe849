"""The gate, situation by situation: what is good enough is promoted, and whatever is not known for sure refuses."""

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
GONE = "(gone)"  # as a text, so that a test's name is the same in every process


def changed(metrics: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The metrics with another value at a path, or without it (GONE)."""
    metrics = deepcopy(metrics)
    inner, *outer = reversed(path.split("."))
    place = metrics
    for part in reversed(outer):
        place = place[part]
    if value is GONE:
        del place[inner]
    else:
        place[inner] = value
    return metrics


def reasons(
    metrics: dict[str, Any] = GOOD,
    facts: Facts = FACTS,
    params: PromoteParams = PARAMS,
    quality: dict[str, Any] = QUALITY,
) -> tuple[str, ...]:
    """Why it is refused; none: it is promoted."""
    verdict = decide(metrics, quality, facts, params)
    assert isinstance(verdict, Promote | Refuse)
    assert isinstance(verdict, Promote) or verdict.reasons, "a refusal has reasons"
    return verdict.reasons if isinstance(verdict, Refuse) else ()


@pytest.mark.parametrize(
    ("metrics", "facts", "params"),
    [
        pytest.param(GOOD, FACTS, PARAMS, id="everything is good, and there is no champion yet"),
        pytest.param(BESIDE_4, AFTER_4, PARAMS, id="everything is good, beside a champion too"),
        pytest.param(changed(BESIDE_4, "inputs.champion", 4), AFTER_4, PARAMS, id="a version written as a number"),
        pytest.param(GOOD, FACTS, WITH_ROBUSTNESS, id="robust enough where that is asked for"),
        pytest.param(changed(GOOD, "robustness", GONE), FACTS, PARAMS, id="robustness is not asked for"),
        pytest.param(GOOD, replace(AFTER_4, is_champion=True), PARAMS, id="it is champion by now: nothing to beat"),
        pytest.param(changed(GOOD, "gain_over_champion", GONE), FACTS, PARAMS, id="no champion, so no gain over it"),
        pytest.param(changed(GOOD, "accuracy.student.overall.value", 0.7), FACTS, PARAMS, id="accuracy on its bound"),
        pytest.param(changed(GOOD, "gain.overall.low", 0.05), FACTS, PARAMS, id="gain on its bound"),
        pytest.param(changed(GOOD, "gain.overall.p_mcnemar", 0.01), FACTS, PARAMS, id="p-value on its bound"),
        pytest.param(changed(GOOD, "valid_calls.student", 0.9), FACTS, PARAMS, id="valid calls on their bound"),
        pytest.param(changed(GOOD, "gain.proofs.value", -0.03), FACTS, PARAMS, id="a task's loss on its bound"),
        pytest.param(changed(BESIDE_4, "gain_over_champion.overall.low", -0.02), AFTER_4, PARAMS,
                     id="as good as the champion within the bound"),
    ],
)  # fmt: skip
def test_what_keeps_every_bound_is_promoted(metrics, facts, params):
    assert reasons(metrics, facts, params) == ()


@pytest.mark.parametrize(
    ("metrics", "facts", "params", "reason"),
    [
        (changed(GOOD, "accuracy.student.overall.value", 0.699), FACTS, PARAMS,
         "accuracy is 0.699, promote.min_accuracy asks for >= 0.7"),
        (changed(GOOD, "gain.overall.low", 0.049), FACTS, PARAMS,
         "lower bound of the gain over the base is 0.049, promote.min_gain asks for >= 0.05"),
        (changed(GOOD, "gain.overall.p_mcnemar", 0.0101), FACTS, PARAMS,
         "McNemar p-value of the gain is 0.0101, promote.max_p_value asks for <= 0.01"),
        (changed(GOOD, "valid_calls.student", 0.899), FACTS, PARAMS,
         "share of valid calls is 0.899, promote.min_valid_calls asks for >= 0.9"),
        (changed(GOOD, "gain.proofs.value", -0.031), FACTS, PARAMS,
         "gain over the base in proofs is -0.031, promote.max_task_regression asks for >= -0.03"),
        (changed(BESIDE_4, "gain_over_champion.overall.low", -0.021), AFTER_4, PARAMS,
         "lower bound of the gain over the champion is -0.021, promote.min_gain_over_champion asks for >= -0.02"),
        (changed(BESIDE_4, "gain_over_champion.sums.value", -0.05), AFTER_4, PARAMS,
         "gain over the champion in sums is -0.05, promote.max_task_regression asks for >= -0.03"),
        (changed(GOOD, "robustness.student.overall.gap.value", 0.11), FACTS, WITH_ROBUSTNESS,
         "accuracy lost on changed problems is 0.11, promote.max_robustness_gap asks for <= 0.1"),
        (GOOD, replace(FACTS, rolled_back="3"), PARAMS,
         "version 3 is this student and was rolled back: callwright rollback brings it back"),
        (GOOD, replace(FACTS, changed=("reports/quality.json",)), PARAMS,
         "reports/quality.json is not what dvc.lock recorded of it: run dvc repro"),
        (GOOD, AFTER_4, PARAMS,
         "the metrics compare with none, and the champion is version 4 now: "
         "run dvc repro --force --single-item evaluate, then dvc repro"),
    ],
)  # fmt: skip
def test_what_misses_one_bound_is_refused_with_that_one_reason(metrics, facts, params, reason):
    found = reasons(metrics, facts, params)
    missed = [one for one in found if "gain_over_champion" not in one or "gain_over_champion" in reason]
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
def test_metrics_of_another_run_or_other_inputs_refuse(name, says):
    (reason,) = reasons(facts=Facts({**INPUTS, name: "another"}))
    assert reason.startswith(says)


@pytest.mark.parametrize(
    ("measured", "now"),
    [("3", AFTER_4), (None, AFTER_4), ("4", FACTS)],
    ids=["another champion since", "a champion since", "the champion is gone"],
)
def test_another_champion_than_the_metrics_compare_with_refuses(measured, now):
    found = reasons(changed(GOOD, "inputs.champion", measured), now)
    assert len(found) == 1
    assert found[0].startswith("the metrics compare with")


@pytest.mark.parametrize("name", ["training", "problems", "base", "student", "champion"])
def test_metrics_that_do_not_say_what_they_were_measured_on_refuse(name):
    assert reasons(changed(GOOD, f"inputs.{name}", GONE)) == (f"inputs.{name} is missing in the metrics",)


def test_metrics_without_inputs_refuse():
    assert reasons(changed(GOOD, "inputs", GONE))[0].startswith("inputs are missing in the metrics")


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
def test_whatever_is_missing_or_no_such_number_refuses(path, bad):
    (reason,) = reasons(changed(BESIDE_4, path, bad), AFTER_4, WITH_ROBUSTNESS)
    assert reason.startswith(f"{path} is missing or not a number from ")


@pytest.mark.parametrize("path", ["accuracy", "gain", "gain_over_champion", "valid_calls", "robustness", "inputs"])
@pytest.mark.parametrize("bad", [GONE, None, math.nan, [], "good"], ids=repr)
def test_a_whole_section_that_is_missing_refuses(path, bad):
    assert reasons(changed(BESIDE_4, path, bad), AFTER_4, WITH_ROBUSTNESS)


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
        ({"checks": ["all is well"]}, "the quality report has a check that is none"),
    ],
)
def test_data_that_was_not_seen_to_pass_its_checks_refuses(quality, says):
    (reason,) = reasons(quality=quality)
    assert reason.startswith(says)


def test_a_failed_check_that_only_warns_does_not_refuse():
    assert reasons(quality={"checks": [PASSED, {**PASSED, "severity": "warning", "success": False}]}) == ()


def test_a_student_measured_on_no_task_is_refused():
    assert reasons(changed(GOOD, "accuracy.student", {"overall": {"value": 0.9}})) == (
        "accuracy.student names no task in the metrics",
    )


def test_a_task_that_only_the_base_was_measured_on_still_counts():
    accuracy = {"student": {"overall": {"value": 0.9}, "sums": {"value": 0.9}}, "base": {"proofs": {"value": 0.8}}}
    lost = changed(changed(GOOD, "accuracy", accuracy), "gain.proofs.value", -0.5)
    assert reasons(lost) == ("gain over the base in proofs is -0.5, promote.max_task_regression asks for >= -0.03",)
    assert reasons(changed(lost, "gain.proofs", GONE))[0].startswith("gain.proofs.value is missing")


def test_a_slice_within_a_task_is_not_held_against_it():
    """GOOD loses 90 points in the slice sums/held_out, which the gate does not look at."""
    assert reasons() == ()


@pytest.mark.parametrize("task", ["word/puzzles", "v1.5", "Q&A", "a.b/c.d", "overall/sums"])
def test_a_task_is_judged_whatever_stands_in_its_name(task):
    """Tasks are loaded under simple names alone; metrics that come from elsewhere are judged all the same."""
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
def test_no_name_lets_a_task_that_got_worse_through(task, gained):
    assume(task not in GOOD["gain"] and task.partition("/")[0] not in ("sums", "proofs"))
    measured = deepcopy(GOOD)
    measured["accuracy"]["student"][task] = {"value": 0.5}
    measured["gain"][task] = {"value": gained}
    assert bool(reasons(measured)) == (gained < -PARAMS.max_task_regression)


def test_every_reason_is_named():
    found = reasons({}, AFTER_4, WITH_ROBUSTNESS, {})
    # inputs as a whole and its five entries, no checks, no tasks, and six numbers: accuracy, gain, p, calls, gain over
    # the champion, robustness
    assert len(found) == 6 + 1 + 1 + 6
