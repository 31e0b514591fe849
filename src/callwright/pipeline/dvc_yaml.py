"""The code dependencies in dvc.yaml: read them, and replace them without touching another byte of the file.

Code dependencies are the entries that end with `.py` or are in `src/callwright`, and requirements.lock. All other
entries (data, models, reports, launch files), comments and the file's layout are written by people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from callwright.errors import DataError

FILE = Path("dvc.yaml")
LOCK_FILE = "requirements.lock"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage in dvc.yaml.

    Attributes:
        params: the sections and keys of params.yaml that it reads.
        deps: its entries in order; each is on the line with the same index in `lines`.
        lines: indices of lines of the file.
    """

    command: str
    params: tuple[str, ...]
    deps: tuple[str, ...]
    lines: tuple[int, ...]

    @property
    def code(self) -> list[str]:
        """The code dependencies."""
        return [entry for entry in self.deps if is_code(entry)]


def is_code(entry: str) -> bool:
    """Whether `make deps` writes this entry."""
    return entry == LOCK_FILE or entry.endswith(".py") or entry.startswith("src/callwright/")


def read_file(path: Path = FILE) -> str:
    """The text of a dvc.yaml, with its line ends as they are.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: the file is not UTF-8.
    """
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{FILE} is not UTF-8 text (byte {error.start + 1}): save it as UTF-8") from None


def read_stages(text: str) -> dict[str, Stage]:
    """The stages of a dvc.yaml by name.

    Raises:
        DataError: the text is not YAML, or a stage has no list of deps of its own with one entry a line.
    """
    try:
        stages = YAML().load(text)["stages"]
        return {
            name: _stage(name, stage.get("do", stage), stages.lc.key(name)[0])  # `do` of a foreach
            for name, stage in stages.items()
        }
    except (YAMLError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{FILE} has no stages that can be read: {' '.join(str(error).split())[:200]}") from None


def _stage(name: str, stage: Mapping[str, Any], first_line: int) -> Stage:
    deps = stage.get("deps") or ()
    lines = tuple(deps.lc.item(index)[0] for index in range(len(deps))) if deps else ()
    if not lines or len(set(lines)) < len(lines):
        raise DataError(f"{FILE}: stages.{name}.deps has to be a list with one entry a line")
    if min(lines) < first_line:  # an alias is below what it stands for, and two stages would be written to one place
        raise DataError(
            f"{FILE}, line {first_line + 1}: stages.{name}.deps uses line {min(lines) + 1}, which is not in this stage "
            "(a YAML alias): write the entries in the stage"
        )
    commands = [stage["cmd"]] if isinstance(stage["cmd"], str) else stage["cmd"]
    params = tuple(map(str, stage.get("params", ())))
    return Stage(" && ".join(commands), params, tuple(map(str, deps)), lines)


def with_code(text: str, code: Mapping[str, Sequence[str]]) -> str:
    """The text of dvc.yaml with other code dependencies.

    They replace the earlier ones, at the place of the first. A line that stays keeps its comment.

    Args:
        code: stage -> its code dependencies, in the order in which they are written.

    Raises:
        DataError: see `read_stages`.
    """
    line_end = "\r\n" if "\r\n" in text else "\n"
    ends_with_line = text.endswith("\n")
    lines = (text if ends_with_line else text + line_end).splitlines(keepends=True)
    for name, stage in reversed(read_stages(text).items()):  # from the end, so that earlier lines keep their indices
        written = {entry: lines[line] for entry, line in zip(stage.deps, stage.lines, strict=True)}
        old_lines = [line for entry, line in zip(stage.deps, stage.lines, strict=True) if is_code(entry)]
        start = min(old_lines, default=stage.lines[0])
        first = lines[stage.lines[0]]
        indent = first[: len(first) - len(first.lstrip())]
        new_lines = [written.get(entry, f"{indent}- {entry}{line_end}") for entry in code[name]]
        kept = [line for index, line in enumerate(lines[start:], start) if index not in old_lines]
        lines[start:] = [*new_lines, *kept]
    return "".join(lines) if ends_with_line else "".join(lines).removesuffix(line_end)
