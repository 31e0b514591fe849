"""The shell commands of README.md and docs/, and what each block is marked with.

A block of shell commands stands in a fence (bash or sh). Without a mark its commands run in a fresh copy of the
project. Otherwise the line before it is one of

    <!-- after a run -->            they run in a copy in which the pipeline has run
    <!-- runs in: FILE -->          that test, or script, runs them
    <!-- needs: gpu, key, ... -->   they cannot run here
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.working_tree import ROOT

AFTER_A_RUN, RUNS_IN, NEEDS = "after a run", "runs in", "needs"
KNOWN_NEEDS = {
    "gpu": "a CUDA device",
    "key": "a teacher's server, and its key",
    "network": "more than the package index",
    "container": "docker, podman or buildah",
    "remote": "a storage, a server or a runner of your own",
    "minutes": "longer than a test may take",
}
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)")
_MARK = re.compile(r"^<!-- (?P<kind>[a-z ]+)(?:: (?P<value>.+?))? -->$")


@dataclass(frozen=True, slots=True)
class Block:
    """Commands one after the other; `mark`: None, or one of the kinds above with what stands after the colon."""

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
    before, inside, began, language = "", list[str](), 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(line)
        if began and line.strip() == "```":
            if language in ("bash", "sh", "shell", "console"):
                mark = _MARK.match(before.strip())
                kind, value = (mark["kind"], mark["value"] or "") if mark else (None, "")
                yield Block(page, began, tuple(_commands(inside)), kind, value)
            before, inside, began = "", [], 0
        elif began:
            inside.append(line)
        elif fence:
            began, language = number, fence["language"]
        elif line.strip():
            before = line


def _commands(lines: list[str]) -> Iterator[str]:
    """Commands, without comments; a line that ends in a backslash goes on in the next."""
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        command = re.sub(r"(^|\s)#\s.*$", "", line).strip()
        if command:
            yield command
