"""What a version came from: commit, data, base and licences, as tags and in the model card."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from callwright import paths
from callwright.storage.files import read_json
from callwright.text import one_line
from callwright.tracking import runs

UNKNOWN = "unknown"
_MAX_BYTES = 64 * 1024  # read from the top of the README, where its metadata are
_MAX_DEPTH = 10
_MAX_CHARACTERS = 100  # of a licence's name
_FENCE = "---"


def base_licence(readme: Path) -> str:
    """The `license` of a model card's metadata, or its `license_name` where that says `other` or nothing.

    Only plain values of the outermost mapping count; nothing is built from the YAML, so neither aliases nor nesting
    can make it grow.

    Returns:
        One line of at most 100 characters; UNKNOWN if the file names none that can be read.
    """
    from ruamel.yaml.error import YAMLError

    if not readme.is_file():
        return UNKNOWN
    try:
        metadata = dict(_plain_values(_metadata(readme)))
    except YAMLError:
        return UNKNOWN
    licence, name = metadata.get("license", ""), metadata.get("license_name", "")
    licence_name = name if licence in ("", "other") else licence
    return one_line(" ".join(licence_name.split()), _MAX_CHARACTERS) or licence or UNKNOWN


def _metadata(readme: Path) -> str:
    """The text between the first two lines of three dashes; empty without them."""
    with readme.open("rb") as file:
        lines = file.read(_MAX_BYTES).decode(errors="replace").removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != _FENCE:
        return ""
    ends = [number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == _FENCE]
    return "\n".join(lines[1 : ends[0]]) if ends else ""


def _plain_values(text: str) -> Iterator[tuple[str, str]]:
    """Keys and values of a YAML document's outermost mapping, where the value is a plain text.

    Raises:
        YAMLError: the text is no YAML, or nested too deeply.
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
            if depth > _MAX_DEPTH:  # the parser's time grows with the square of it
                raise YAMLError(f"nested more than {_MAX_DEPTH} deep")
        elif depth == 1 and isinstance(event, events.AliasEvent):
            key = None if key is not None else ""
        elif depth == 1 and isinstance(event, events.ScalarEvent):
            if key is None:
                key = event.value
            else:
                yield key, event.value
                key = None


CODE_LICENCE = "Apache-2.0"


def collect_lineage(base: Path = paths.BASE) -> dict[str, str]:
    """Names and hashes of what the student was made from; what is not known is left out, except for licences."""
    recipe = read_json(base / paths.RECIPE)
    found = {
        "git commit": git_commit(),
        "dvc.lock": _dvc_lock_hash(),
        "problems": runs.dvc_hash(paths.PROBLEMS),
        "chains": runs.dvc_hash(paths.VALIDATED),
        "pairs": runs.dvc_hash(paths.PAIRS_TRAIN),
        "base": runs.dvc_hash(base),
        "base model": str(recipe.get("source", "")),
        "base revision": str(recipe.get("revision") or ""),
        "base licence": _licence_of_base(base, recipe),
        "code licence": CODE_LICENCE,
        "training": str(read_json(paths.STUDENT / paths.TRAINING_FILE)["key"]),
    }
    return {name: value for name, value in found.items() if value}


def git_commit() -> str:
    """The commit of the working tree, with a mark when it has changes; empty outside a repository, or without git."""
    if shutil.which("git") is None:
        return ""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() if found.returncode == 0 else ""


def _dvc_lock_hash() -> str:
    return hashlib.sha256(paths.DVC_LOCK.read_bytes()).hexdigest() if paths.DVC_LOCK.is_file() else ""


def _licence_of_base(base: Path, recipe: dict[str, Any]) -> str:
    """Of the base's weights: its model card's word; the embedded base is made of nothing but Callwright's own."""
    if recipe.get("source") == "embedded":
        return CODE_LICENCE
    return base_licence(base / "README.md")
