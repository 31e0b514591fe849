"""What a version came from: commit, data, base and licences, as tags and in the model card."""

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

from callwright import paths
from callwright.registry.base_licence import base_licence
from callwright.storage import read_json
from callwright.training import tracking

CODE_LICENCE = "Apache-2.0"


def lineage_of(base: Path = paths.BASE) -> dict[str, str]:
    """Names and hashes of what the student was made from; what is not known is left out, except for licences."""
    recipe = read_json(base / paths.RECIPE)
    found = {
        "git commit": git_commit(),
        "dvc.lock": _lock_hash(),
        "problems": tracking.dvc_hash(paths.PROBLEMS),
        "chains": tracking.dvc_hash(paths.VALIDATED),
        "pairs": tracking.dvc_hash(paths.PAIRS_TRAIN),
        "base": tracking.dvc_hash(base),
        "base model": str(recipe.get("source", "")),
        "base revision": str(recipe.get("revision") or ""),
        "base licence": _licence(base, recipe),
        "code licence": CODE_LICENCE,
        "training": str(read_json(paths.STUDENT / tracking.TRAINING)["key"]),
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


def _lock_hash() -> str:
    return hashlib.sha256(paths.DVC_LOCK.read_bytes()).hexdigest() if paths.DVC_LOCK.is_file() else ""


def _licence(base: Path, recipe: dict[str, Any]) -> str:
    """Of the base's weights: its model card's word; the embedded base is made of nothing but Callwright's own."""
    if recipe.get("source") == "embedded":
        return CODE_LICENCE
    return base_licence(base / "README.md")
