"""The checks as plain pages. Great Expectations' own pages draw their lists with scripts from the network."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from callwright.validation.suite import Check

_HEAD = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 70rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ border-bottom: 1px solid #ccc; padding: .3rem .6rem; text-align: left; vertical-align: top }}
.no {{ color: #b00020; font-weight: bold }}
</style>
<h1>{title}</h1>
"""

SITE_INDEX = (
    _HEAD.format(title="Data docs")
    + """<p>What was expected of the data of the last run, and what was found.</p>
<ul>
<li><a href="chains/checks.html">Problems and chains</a> (stage validate)</li>
<li><a href="pairs/checks.html">Pairs</a> (stage pairs)</li>
</ul>
</html>
"""
)
"""The page that leads to the sites of the two stages, which are each stage's own output."""


def checks_page(checks: "Sequence[Check]", details: Mapping[str, str]) -> str:
    """All checks of a site, suite by suite; what failed says so in words.

    Args:
        details: suite -> the page of Great Expectations that shows it, relative to this one.
    """
    parts = [_HEAD.format(title="Checks")]
    for suite in dict.fromkeys(check.suite for check in checks):
        parts.append(f'<h2>{escape(suite)}</h2>\n<p><a href="{quote(details[suite])}">in Great Expectations</a></p>')
        parts.append("<table><tr><th>passed<th>column<th>expected that<th>severity<th>found<th>rows</tr>")
        parts += [_row(check) for check in checks if check.suite == suite]
        parts.append("</table>")
    return "\n".join([*parts, "</html>\n"])


def _row(check: "Check") -> str:
    passed = "<td>yes" if check.success else '<td class="no">no'
    cells = (check.column or "table", check.says, check.severity, check.observed, check.named())
    return f"<tr>{passed}{''.join(f'<td>{escape(cell)}' for cell in cells)}</tr>"
