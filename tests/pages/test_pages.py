"""The report page in headless Chromium: no console messages, no requests, no findings of axe-core.

The tests need Node.js, Chromium and the packages of package.json; `tests/pages/install.sh` installs them. Without them
the tests are skipped, except in CI, where they fail.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.pages.browser import chromium, missing
from tests.reporting import report_fixtures

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def command() -> tuple[list[str], Path]:
    """The start of the command, and the folder to run it in."""
    browser = chromium()
    folder = Path(os.environ.get("CALLWRIGHT_PAGE_CHECK", HERE))
    node = shutil.which("node") or missing("Node.js is not installed")
    if not all((folder / "node_modules" / name).is_dir() for name in ("axe-core", "playwright-core")):
        missing(f"axe-core and playwright-core are not installed in {folder}")
    return [node, str(HERE / "check.mjs"), browser], folder


def test_the_page_passes_the_check_wide_and_narrow_light_and_dark(command: tuple[list[str], Path], tmp_path: Path):
    start, folder = command
    text = "שלום " * 40 + "x" * 3000
    for name, changes in {
        "whole": {},
        "least": {"metrics": report_fixtures.metrics(("arithmetic",), everything=False), "transcripts": []},
        "long": {
            "metrics": report_fixtures.metrics(
                tuple(f"own_task_number_{index}_with_a_long_name" for index in range(4))
            ),
            "transcripts": [report_fixtures.transcript(report_fixtures.HOSTILE), report_fixtures.transcript(text)],
        },
    }.items():
        (tmp_path / name).mkdir()
        report_fixtures.page(tmp_path / name, **changes)
    files = sorted(tmp_path.glob("*/index.html"))
    done = subprocess.run(
        [*start, str(tmp_path), *map(str, files)], cwd=folder, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.stdout, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert {Path(result["page"]).parent.name: result["problems"] for result in results} == {
        "least": [],
        "long": [],
        "whole": [],
    }
    assert len(list(tmp_path.glob("*.png"))) == 3 * 4


def test_the_check_finds_the_defects_of_a_page(command: tuple[list[str], Path], tmp_path: Path):
    start, folder = command
    bad = tmp_path / "bad" / "index.html"
    bad.parent.mkdir()
    bad.write_text("<title>t</title><img src=missing.png><p style='width:3000px'>wide</p><script>oops()</script>")
    done = subprocess.run(
        [*start, str(tmp_path), str(bad)], cwd=folder, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    problems = "\n".join(json.loads(line)["problems"])
    assert "axe: image-alt" in problems
    assert "missing.png" in problems
    assert "oops is not defined" in problems
    assert "pixels wide on a screen of 400" in problems
