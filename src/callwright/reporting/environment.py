"""The one environment of all templates, in `templates/`.

Whatever a template is given is escaped, and what could hide or turn text round shows as escapes.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from callwright.reporting.charts import CURVE_HEIGHT_PX, CURVE_WIDTH_PX
from callwright.text import escape_controls

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")


def template_environment() -> "Environment":
    """The templates; `style` in them is the report page's style sheet."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: (
            escape_controls(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        ),
    )
    made.globals |= {
        "width": CURVE_WIDTH_PX,
        "height": CURVE_HEIGHT_PX,
        "style": Markup((TEMPLATES / "style.css").read_text()),  # ours: `>` in it is no markup
    }
    return made
