"""The geometry of charts."""

import pytest

from callwright.reporting.charts import LANE_PX, accuracy_chart, curve, faults_chart, robustness_chart, seconds_chart
from tests.reporting.report_fixtures import change, share


def test_a_value_is_at_its_percentage_with_its_interval_and_models_below_each_other():
    chart = accuracy_chart("t", {"student": {"overall": share(0.5)}, "base": {"overall": share(0.25)}}, ["overall"])
    (row,) = chart.rows
    base, student = row.marks
    assert (base.model, base.x_percent, base.text) == ("base", 25.0, "25.0%")
    assert (student.model, student.x_percent, student.low, student.high) == ("student", 50.0, 40.0, 60.0)
    assert student.y - base.y == LANE_PX
    assert (row.label, row.note) == ("overall", "n = 40")


def test_rows_do_not_overlap_and_are_within_the_chart():
    accuracy = {"base": {"a": share(0.1), "b": share(0.2)}, "student": {"a": share(0.3), "b": share(0.4)}}
    chart = accuracy_chart("t", accuracy, ["a", "b"])
    first, second = chart.rows
    assert first.y < first.marks[0].y < first.marks[1].y < second.y < second.marks[1].y < chart.height


def test_a_model_without_a_slice_has_no_mark_in_its_row():
    chart = accuracy_chart("t", {"base": {"a": share(0.1)}, "student": {"a": share(0.3), "b": share(0.4)}}, ["a", "b"])
    assert [[mark.model for mark in row.marks] for row in chart.rows] == [["base", "student"], ["student"]]


def test_a_label_that_is_too_long_for_a_phone_is_cut():
    (row,) = accuracy_chart("t", {"base": {"x" * 40: share(0.1)}}, ["x" * 40]).rows
    assert row.label == "x" * 31 + "…"


def test_the_longest_bar_fills_the_width_and_faults_are_sorted_by_the_base():
    faults = {"base": {"syntax": 2, "wrong_answer": 8}, "student": {"no_answer": 1, "wrong_answer": 4}}
    chart = faults_chart(faults, {"base": 10, "student": 10})
    assert [row.label for row in chart.rows] == ["wrong answer", "syntax", "no answer"]
    assert [(mark.x_percent, mark.text) for mark in chart.rows[0].marks] == [(100.0, "80.0%"), (50.0, "40.0%")]
    assert [(mark.x_percent, mark.text) for mark in chart.rows[2].marks] == [
        (0.0, "0.0%"),
        (12.5, "10.0%"),
    ]


def test_a_robustness_line_runs_from_the_original_accuracy_to_the_changed_one():
    (mark,) = robustness_chart({"student": {"names": change(0.75, 0.5)}}).rows[0].marks
    assert (mark.x_percent, mark.low, mark.high, mark.text) == (50.0, 50.0, 75.0, "50.0%")


def test_stages_are_in_the_pipelines_order():
    rows = seconds_chart({"train": 30.0, "problems": 15.0}).rows
    assert [(row.label, row.note, row.marks[0].x_percent) for row in rows] == [
        ("problems", "15.0 s", 50.0),
        ("train", "30.0 s", 100.0),
    ]


def test_a_curve_fills_its_box():
    loss_curve = curve([{"step": 1, "loss": 2.0}, {"step": 3, "loss": 1.0}, {"step": 5, "other": 1.0}], "loss")
    assert loss_curve is not None
    assert loss_curve.points == "0.0,0.0 300.0,120.0"  # the highest at the top left, the lowest at the bottom right
    assert (loss_curve.first, loss_curve.last, loss_curve.steps) == (2.0, 1.0, 3)


@pytest.mark.parametrize("rows", [[], [{"step": 1.0, "loss": 2.0}], [{"step": 1.0}]])
def test_a_single_point_is_not_a_curve(rows: list[dict[str, float]]):
    assert curve(rows, "loss") is None


def test_a_constant_curve_is_drawn():
    loss_curve = curve([{"step": 1, "loss": 2.0}, {"step": 2, "loss": 2.0}], "loss")
    assert loss_curve is not None
    assert loss_curve.points == "0.0,120.0 300.0,120.0"
