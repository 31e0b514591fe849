"""reports/index.html: one self-contained page that loads nothing from the network.

Model text is untrusted: it is escaped, including control and direction marks, and cut if it is very long.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from callwright.reporting import charts, tables
from callwright.reporting.render import faults_chart, template_environment
from callwright.reporting.transcripts import TranscriptPair
from callwright.reports.decision import Decision
from callwright.reports.metrics import Metrics
from callwright.reports.quality import Quality
from callwright.reports.rollout import RolloutReport
from callwright.reports.train import TrainReport
from callwright.reports.values import OVERALL
from callwright.storage.files import write_text

SECTION_TITLES = {
    "gate": "Gate",
    "accuracy": "Accuracy",
    "samples": "Several samples",
    "faults": "Faults before and after",
    "robustness": "Robustness",
    "unseen": "Unseen functions",
    "cost": "Cost",
    "training": "Training",
    "data": "Data",
    "transcripts": "Side by side",
}
CURVE_NAMES = ("loss", "margin", "preferred")
MAX_NUMBER_CHARS = 24  # a longer cell may be broken into lines


def write_report(
    path: Path,
    *,
    metrics: Metrics,
    decision: Decision,
    quality: Quality,
    training: TrainReport,
    rollout: RolloutReport,
    curves: Sequence[Mapping[str, float]],
    transcripts: Sequence[TranscriptPair],
    stand_in: bool,
    embedded_base: bool,
) -> None:
    """Render the page. What was not measured (champion, samples, robustness, unseen) is omitted.

    Args:
        curves: rows of reports/curves.csv.
        stand_in: whether the teacher is the oracle.
        embedded_base: whether the base is the embedded student.
    """
    accuracy, robustness = metrics.accuracy, metrics.robustness
    slices = list(accuracy.student)
    tasks = charts.slices_by_task(slices)
    overview_slices = [OVERALL, *tasks] if len(tasks) > 1 else list(tasks)
    absent = {"samples": not metrics.samples, "robustness": not robustness, "unseen": not metrics.unseen}
    templates = template_environment()
    templates.filters |= {
        "percent": tables.percent,
        "points": tables.points,
        "p_value": tables.p_value,
        "short": lambda cell: len(str(cell)) <= MAX_NUMBER_CHARS,
    }
    page = templates.get_template("report.html.jinja").render(
        metrics=metrics,
        decision=decision,
        quality=quality,
        training=training,
        transcripts=transcripts,
        stand_in=stand_in,
        embedded_base=embedded_base,
        parts=[(part, name) for part, name in SECTION_TITLES.items() if not absent.get(part)],
        models=charts.in_display_order(accuracy),
        tasks_chart=charts.accuracy_chart("Accuracy by task", accuracy, overview_slices),
        slice_charts=[
            (task, charts.accuracy_chart(f"Accuracy: {task} by slice", accuracy, within, task))
            for task, within in tasks.items()
            if within
        ],
        faults_chart=faults_chart(metrics),
        robustness_chart=charts.robustness_chart(robustness) if robustness else None,
        seconds_chart=charts.seconds_chart(metrics.seconds),
        accuracy_rows=tables.accuracy_rows(accuracy),
        gain_rows=tables.gain_rows(metrics.gain),
        sample_rows=tables.sample_rows(metrics.samples),
        robustness_rows=tables.robustness_rows(robustness),
        unseen_rows=tables.unseen_rows(metrics.unseen),
        **dict(zip(("effort_heads", "effort_rows"), tables.effort_table(metrics), strict=True)),
        **dict(zip(("rollout_heads", "rollout_rows"), tables.rollout_table(rollout), strict=True)),
        failed=tables.failed_checks(quality.checks),
        curves=[curve for name in CURVE_NAMES if (curve := charts.curve(curves, name))],
    )
    write_text(path, page)
