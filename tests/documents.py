"""The shell commands of README.md and docs/, and the mark of each block.

A block of shell commands is in a fence (bash or sh). Without a mark its commands run in a fresh copy of the project.
Otherwise the line before the fence is one of

    <!-- after a run -->            the commands run in a copy in which the pipeline has run
    <!-- runs in: FILE -->          that test or script runs the commands
    <!-- needs: gpu, key, ... -->   the commands cannot run here
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.working_tree import ROOT

AFTER_A_RUN, RUNS_IN, NEEDS = "after a run", "runs in", "needs"
KNOWN_NEEDS = {
    "gpu": "a CUDA device",
    "key": "a teacher's server and its key",
    "network": "more than the package index",
    "container": "docker, podman or buildah",
    "remote": "your own storage, server or runner",
    "minutes": "longer than a test may take",
}
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)")
_MARK = re.compile(r"^<!-- (?P<kind>[a-z ]+)(?:: (?P<value>.+?))? -->$")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of commands.

    Attributes:
        mark: None, or one of the kinds above.
        value: the text after the mark's colon.
    """

    page: str
    line: int
    commands: tuple[str, ...]
    mark: str | None
    value: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks() -> list[Block]:
    return [block for page in pages() for block in blocks_of(page.read_text(), str(page.relative_to(ROOT)))]


def blocks_of(text: str, page: str) -> Iterator[Block]:
    """The blocks of one page, in order."""
    previous_line, lines, first_line, language = "", list[str](), 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(line)
        if first_line and line.strip() == "```":
            if language in ("bash", "sh", "shell", "console"):
                mark = _MARK.match(previous_line.strip())
                kind, value = (mark["kind"], mark["value"] or "") if mark else (None, "")
                yield Block(page, first_line, tuple(_commands(lines)), kind, value)
            previous_line, lines, first_line = "", [], 0
        elif first_line:
            lines.append(line)
        elif fence:
            first_line, language = number, fence["language"]
        elif line.strip():
            previous_line = line


def _commands(lines: list[str]) -> Iterator[str]:
    """Commands without comments. A line that ends in a backslash continues on the next line."""
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        command = re.sub(r"(^|\s)#\s.*$", "", line).strip()
        if command:
            yield command
