"""The embedded student as it ships in the package: its files, checked and copied. Needs neither torch nor the tasks."""

import shutil
from pathlib import Path
from typing import Any

from callwright.errors import DataError
from callwright.paths import RECIPE
from callwright.storage.files import file_hash, read_json

SHIPPED = Path(__file__).with_name("shipped")
MODEL_FILES = (
    "model.safetensors",
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "README.md",
)


def copy_shipped_student(folder: Path, shipped: Path = SHIPPED) -> dict[str, Any]:
    """Copy the student's model, tokenizer and card to a new folder, after a check of their sizes and hashes.

    The weights are stored in float16 and config.json says float32, which is what they are computed with.

    Returns:
        The recipe by which it was built, with its source ("embedded") and the size and hash of each file.

    Raises:
        DataError: a file is missing, or its size or hash is not that in the recipe.
        OSError: the folder cannot be written.
    """
    recipe = _read_recipe(shipped)
    folder.mkdir(parents=True)
    for name in MODEL_FILES:
        shutil.copyfile(checked_file(shipped, name), folder / name)
    return recipe


def checked_file(shipped: Path, name: str) -> Path:
    """The path of a shipped file, whose size and hash are those in the recipe.

    Raises:
        DataError: the file is missing or another one.
    """
    path = shipped / name
    if not path.is_file():
        raise _damaged(f"{path} is missing")
    expected = _read_recipe(shipped)["files"].get(name)
    content = {"bytes": path.stat().st_size, "sha256": file_hash(path)}
    if content != expected:
        raise _damaged(f"{path} has {content['bytes']:,} bytes, SHA-256 {content['sha256']}: not as {RECIPE} says")
    return path


def _read_recipe(shipped: Path) -> dict[str, Any]:
    path = shipped / RECIPE
    recipe = read_json(path) if path.is_file() else None
    if not isinstance(recipe, dict) or not isinstance(recipe.get("files"), dict):
        raise _damaged(f"{path} is missing, or lists no files")
    return recipe


def _damaged(fault: str) -> DataError:
    return DataError(f"the embedded student is damaged: {fault}; install callwright again, or restore it from git")
