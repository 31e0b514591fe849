"""Where a version comes from: commit, data, base and licences, for its tags and model card."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from callwright import paths
from callwright.reports.model_files import Recipe, TrainingFile
from callwright.text import one_line
from callwright.tracking import runs

CODE_LICENCE = "Apache-2.0"
UNKNOWN = "unknown"
_MAX_BYTES = 64 * 1024  # read from the start of the README, where its metadata are
_MAX_DEPTH = 10
_MAX_CHARACTERS = 100  # of a licence's name
_FENCE = "---"


def base_licence(readme: Path) -> str:
    """The `license` in a model card's metadata, or its `license_name` if `license` is missing or `other`.

    Only scalar values of the outermost mapping are read, from the YAML's events: no objects are constructed, so aliases
    and nesting cannot exhaust memory.

    Returns:
        One line of at most 100 characters; UNKNOWN if the file does not name a readable licence.
    """
    from ruamel.yaml.error import YAMLError

    if not readme.is_file():
        return UNKNOWN
    try:
        metadata = dict(_plain_values(_metadata(readme)))
    except YAMLError:
        return UNKNOWN
    licence, name = (
        one_line(" ".join(metadata.get(key, "").split()), _MAX_CHARACTERS) for key in ("license", "license_name")
    )
    return (name if licence in ("", "other") else licence) or licence or UNKNOWN


def _metadata(readme: Path) -> str:
    """The text between the first line, which must be three dashes, and the next such line; empty without them."""
    with readme.open("rb") as file:
        lines = file.read(_MAX_BYTES).decode(errors="replace").removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != _FENCE:
        return ""
    ends = [number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == _FENCE]
    return "\n".join(lines[1 : ends[0]]) if ends else ""


def _plain_values(text: str) -> Iterator[tuple[str, str]]:
    """Keys and values of a YAML document's outermost mapping whose values are scalars.

    Raises:
        YAMLError: the text is not YAML, or is nested too deeply.
    """
    from ruamel.yaml import YAML, events
    from ruamel.yaml.error import YAMLError

    depth, key = 0, None
    for event in YAML(typ="safe", pure=True).parse(text):
        if isinstance(event, events.CollectionEndEvent):
            depth -= 1
            key = None if depth == 1 else key  # the value was a list or a mapping
        elif isinstance(event, events.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:  # the parser's time is quadratic in the depth
                raise YAMLError(f"nested more than {_MAX_DEPTH} deep")
        elif depth == 1 and isinstance(event, events.AliasEvent):
            key = None if key is not None else ""
        elif depth == 1 and isinstance(event, events.ScalarEvent):
            if key is None:
                key = event.value
            else:
                yield key, event.value
                key = None


def collect_lineage(base: Path = paths.BASE) -> dict[str, str]:
    """Names and hashes of the student's origins; unknown ones are omitted, unknown licences are UNKNOWN."""
    recipe = Recipe.load(base / paths.RECIPE)
    lineage = {
        "git commit": git_commit(),
        "dvc.lock": _dvc_lock_hash(),
        "problems": runs.dvc_hash(paths.PROBLEMS),
        "chains": runs.dvc_hash(paths.VALIDATED),
        "pairs": runs.dvc_hash(paths.PAIRS_TRAIN),
        "base": runs.dvc_hash(base),
        "base model": recipe.source,
        "base revision": recipe.revision or "",
        "base licence": _licence_of_base(base, recipe),
        "code licence": CODE_LICENCE,
        "training": TrainingFile.load().key,
    }
    return {name: value for name, value in lineage.items() if value}


def git_commit() -> str:
    """The commit checked out in the current directory, with `-dirty` if there are changes.

    Empty outside a repository, or if git is not installed.
    """
    if shutil.which("git") is None:
        return ""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() if described.returncode == 0 else ""


def _dvc_lock_hash() -> str:
    return hashlib.sha256(paths.DVC_LOCK.read_bytes()).hexdigest() if paths.DVC_LOCK.is_file() else ""


def _licence_of_base(base: Path, recipe: Recipe) -> str:
    """The licence in the base's model card; the embedded base has the licence of the code."""
    if recipe.is_embedded:
        return CODE_LICENCE
    return base_licence(base / "README.md")
