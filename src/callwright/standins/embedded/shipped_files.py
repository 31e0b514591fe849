"""The folder of the embedded student in the package: its files, each checked by the size and hash in recipe.json."""

from pathlib import Path
from typing import Any

from callwright.errors import DataError
from callwright.storage.files import file_hash, read_json

RECIPE = "recipe.json"  # as callwright.paths has it; `make deps` lists the shipped files that these modules name
SHIPPED = Path(__file__).with_name("shipped")


def checked_file(shipped: Path, name: str) -> Path:
    """The path of a shipped file, whose size and hash are those in the recipe.

    Raises:
        DataError: the file is missing or another one.
    """
    path = shipped / name
    if not path.is_file():
        raise _damaged(f"{path} is missing")
    expected = read_recipe(shipped)["files"].get(name)
    content = {"bytes": path.stat().st_size, "sha256": file_hash(path)}
    if content != expected:
        raise _damaged(f"{path} has {content['bytes']:,} bytes, SHA-256 {content['sha256']}: not as {RECIPE} says")
    return path


def read_recipe(shipped: Path) -> dict[str, Any]:
    """How the student was built, and the size and hash of each file.

    Raises:
        DataError: the file is missing, is not JSON, or lists no files.
    """
    path = shipped / RECIPE
    try:
        recipe = read_json(path) if path.is_file() else None
    except DataError as error:
        raise _damaged(str(error)) from None
    if not isinstance(recipe, dict) or not isinstance(recipe.get("files"), dict):
        raise _damaged(f"{path} is missing, or lists no files")
    return recipe


def _damaged(fault: str) -> DataError:
    return DataError(f"the embedded student is damaged: {fault}; install callwright again, or restore it from git")
