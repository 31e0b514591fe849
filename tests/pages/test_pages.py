"""The report page opened in headless Chromium: a silent console, nothing loaded, nothing that axe-core finds.

It needs Node.js, Chromium and the packages of package.json: `tests/pages/install.sh` installs what is missing. Without
them it is skipped, except in CI, where it fails.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.pages.browser import chromium, missing
from tests.reporting import pages

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


def test_the_page_is_sound_wide_and_narrow_light_and_dark(command: tuple[list[str], Path], tmp_path: Path):
    start, folder = command
    text = "שלום " * 40 + "x" * 3000
    for name, changes in {
        "whole": {},
        "least": {"metrics": pages.metrics(("arithmetic",), everything=False), "transcripts": []},
        "long": {
            "metrics": pages.metrics(tuple(f"own_task_number_{place}_with_a_long_name" for place in range(4))),
            "transcripts": [pages.transcript(pages.HOSTILE), pages.transcript(text)],
        },
    }.items():
        (tmp_path / name).mkdir()
        pages.page(tmp_path / name, **changes)
    opened = sorted(tmp_path.glob("*/index.html"))
    done = subprocess.run(
        [*start, str(tmp_path), *map(str, opened)], cwd=folder, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.stdout, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {Path(one["page"]).parent.name: one["problems"] for one in found} == {"least": [], "long": [], "whole": []}
    assert len(list(tmp_path.glob("*.png"))) == 3 * 4


def test_the_check_finds_what_is_wrong_with_a_page(command: tuple[list[str], Path], tmp_path: Path):
    start, folder = command
    bad = tmp_path / "bad" / "index.html"
    bad.parent.mkdir()
    bad.write_text("<title>t</title><img src=missing.png><p style='width:3000px'>wide</p><script>oops()</script>")
    done = subprocess.run(
        [*start, str(tmp_path), str(bad)], cwd=folder, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    said = "\n".join(json.loads(line)["problems"])
    assert "axe: image-alt" in said
    assert "missing.png" in said
    assert "oops is not defined" in said
    assert "pixels wide on a screen of 400" in said
