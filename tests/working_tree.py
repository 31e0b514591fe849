"""Copies of the working tree, with what is not committed yet."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
OF_A_RUN = {"dvc.lock", "models/registry.json"}  # `make repro` before `make test` leaves them, or a commit has them


def copy_working_tree(folder: Path, *, tests: bool = True) -> None:
    """Copy every file that git does not ignore, without what a run of the pipeline left for git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and name not in OF_A_RUN and (tests or not name.startswith("tests/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
