"""Copies of the working tree, including uncommitted changes."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUN_FILES = {"dvc.lock", "models/registry.json"}  # written by `make repro`, and possibly committed


def copy_working_tree(folder: Path, *, tests: bool = True) -> None:
    """Copy every file that git does not ignore, except the files that a run of the pipeline writes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and name not in RUN_FILES and (tests or not name.startswith("tests/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
