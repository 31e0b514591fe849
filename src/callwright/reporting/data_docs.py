"""The data checks as plain pages. Great Expectations' own pages need scripts from the network to show their lists."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from callwright.reporting.render import template_environment
from callwright.storage.files import write_text
from callwright.validation.suites.suite import Check, Suites

CHECKS_PAGE = "checks.html"


def write_index(path: Path) -> None:
    """Write the page that links to the two sites, which are outputs of the stages `validate` and `pairs`."""
    write_text(path, template_environment().get_template("data_docs.html.jinja").render(checks_page=CHECKS_PAGE))


def write_checks(folder: Path, suites: Suites) -> None:
    """Write the start page of a site: all checks by suite. Nothing is written if no suite was run."""
    if suites.checks:
        write_text(folder / CHECKS_PAGE, checks_page(suites.checks, suites.pages()))


def checks_page(checks: Sequence[Check], details: Mapping[str, str]) -> str:
    """The page as HTML.

    Args:
        details: suite -> the page of Great Expectations that shows it, relative to this page.
    """
    suites = {suite: [check for check in checks if check.suite == suite] for suite in (check.suite for check in checks)}
    return template_environment().get_template("checks.html.jinja").render(suites=suites, details=details)
