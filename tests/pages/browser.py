"""Open pages in a real browser (Debian's chromium) without a network."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

INSTALL = "tests/pages/install.sh installs it"
MARK = "data-ran"  # a payload that runs sets this attribute on the page's outermost element
_RUN = f"document.documentElement.setAttribute('{MARK}','yes')"
PAYLOADS = (
    f"<script>{_RUN}</script>",
    f"</script><script>{_RUN}</script>",
    f"</style></title></textarea></pre></svg><script>{_RUN}</script>",
    f'<img src=x onerror="{_RUN}">',
    f'"><svg onload="{_RUN}">',
    f"' onmouseover='{_RUN}' autofocus onfocus='{_RUN}' x='",
    f'<iframe srcdoc="<script>parent.{_RUN}</script>"></iframe>',
    f"[a](javascript:{_RUN}) ![b](x) `c`",
    f"`;{_RUN};`${{{_RUN}}}",
    f"\\');{_RUN};//",
    "{{ 7 * 7 }} {% raw %} $v__0 ${params} %s",
    "\u202egnp\x1b[31m\x00 \ud800 \\u003cb\\u003e",
)


def missing(what: str) -> NoReturn:
    """Skip a test if a program is missing; in CI, where all programs must be installed, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}: {INSTALL}")
    pytest.skip(f"{what}: {INSTALL}")


def chromium() -> str:
    """The browser's command."""
    command = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return command or missing("Chromium is not installed")


def open_page(page: Path, profile: Path) -> str:
    """A page's document after its scripts have run; network requests fail."""
    command = [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", page.resolve().as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, errors="replace")
    assert "<html" in done.stdout or "<svg" in done.stdout, done.stderr[-2_000:]
    return done.stdout


def payload_ran(document: str) -> bool:
    """Whether a payload ran in the page."""
    return re.search(rf"<(?:html|svg)\b[^>]*\s{MARK}=", document) is not None
