"""Render templates: the one Jinja environment of all pages in `templates/`, and charts as SVG files.

All values are escaped, including control characters and marks of writing direction.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from callwright.reporting import charts
from callwright.reporting.charts import CURVE_HEIGHT_PX, CURVE_WIDTH_PX
from callwright.reports.metrics import Metrics
from callwright.text import escape_controls

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")


def template_environment() -> "Environment":
    """The environment of all templates; the global `style` is the report page's style sheet."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: (
            escape_controls(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        ),
    )
    environment.globals |= {
        "width": CURVE_WIDTH_PX,
        "height": CURVE_HEIGHT_PX,
        "style": Markup((TEMPLATES / "style.css").read_text()),  # trusted: `>` must not be escaped
    }
    return environment


def render_plots(metrics: Metrics) -> dict[str, str]:
    """Name -> SVG file: accuracy by slice, and faults."""
    accuracy = metrics.accuracy
    charts_by_name = {
        "accuracy": charts.accuracy_chart("Accuracy", accuracy, list(accuracy.student)),
        "faults": faults_chart(metrics),
    }
    template = template_environment().get_template("plot.svg.jinja")
    return {name: template.render(chart=chart) for name, chart in charts_by_name.items()}


def faults_chart(metrics: Metrics) -> charts.Chart:
    """The chart of the faults in each model's chains on the test problems."""
    totals = {model: slices.overall.n for model, slices in metrics.accuracy.items()}
    return charts.faults_chart(metrics.faults, totals)
