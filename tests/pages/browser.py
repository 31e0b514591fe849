"""A real browser for the tests of pages: Debian's chromium, without a network."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

INSTALL = "tests/pages/install.sh installs it"
MARK = "data-ran"  # the attribute that every payload sets on the page's outermost element, should it ever run
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
    """Skip a test on a machine that lacks something; in CI, where everything has to be there, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}: {INSTALL}")
    pytest.skip(f"{what}: {INSTALL}")


def chromium() -> str:
    """The browser's command."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return found or missing("Chromium is not installed")


def opened(page: Path, profile: Path) -> str:
    """A page's document as it is once its scripts have run; what it asks of a network fails."""
    command = [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", page.resolve().as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, errors="replace")
    assert "<html" in done.stdout or "<svg" in done.stdout, done.stderr[-2_000:]
    return done.stdout


def ran(document: str) -> bool:
    """Whether one of the payloads ran in a page."""
    return re.search(rf"<(?:html|svg)\b[^>]*\s{MARK}=", document) is not None
