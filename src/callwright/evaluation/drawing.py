"""Templates that draw: the report page, and a chart as an SVG file of its own.

Whatever they are given is escaped, and what could hide or turn text round shows as escapes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callwright.evaluation import charts
from callwright.visible import visible

if TYPE_CHECKING:
    from jinja2 import Environment

PAGE = Path(__file__).with_name("page")


def plots(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Name -> SVG: accuracy by slice, and faults."""
    accuracy = metrics["accuracy"]
    drawn = {
        "accuracy": charts.accuracy_chart("Accuracy", accuracy, list(accuracy["student"])),
        "faults": faults_chart(metrics),
    }
    template = environment().get_template("plot.svg.jinja")
    return {name: template.render(chart=chart) for name, chart in drawn.items()}


def faults_chart(metrics: Mapping[str, Any]) -> charts.Chart:
    """Faults of each model's chains on the test problems."""
    totals = {model: int(slices["overall"]["n"]) for model, slices in metrics["accuracy"].items()}
    return charts.faults_chart(metrics["faults"], totals)


def environment() -> "Environment":
    """The templates of the page; `style` in them is its style sheet."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    made.globals |= {
        "width": charts.CURVE_WIDTH,
        "height": charts.CURVE_HEIGHT,
        "style": Markup((PAGE / "style.css").read_text()),  # ours: `>` in it is no markup
    }
    return made
