"""Charts as SVG files."""

from collections.abc import Mapping
from typing import Any

from callwright.reporting import charts
from callwright.reporting.environment import template_environment


def plots(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Name -> SVG: accuracy by slice, and faults."""
    accuracy = metrics["accuracy"]
    drawn = {
        "accuracy": charts.accuracy_chart("Accuracy", accuracy, list(accuracy["student"])),
        "faults": faults_chart(metrics),
    }
    template = template_environment().get_template("plot.svg.jinja")
    return {name: template.render(chart=chart) for name, chart in drawn.items()}


def faults_chart(metrics: Mapping[str, Any]) -> charts.Chart:
    """Faults of each model's chains on the test problems."""
    totals = {model: int(slices["overall"]["n"]) for model, slices in metrics["accuracy"].items()}
    return charts.faults_chart(metrics["faults"], totals)
