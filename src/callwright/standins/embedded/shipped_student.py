"""Copy the embedded student that ships with the package. Needs neither torch nor the tasks."""

import shutil
from pathlib import Path
from typing import Any

from callwright.standins.embedded.shipped_files import SHIPPED, checked_file, read_recipe

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
    recipe = read_recipe(shipped)
    folder.mkdir(parents=True)
    for name in MODEL_FILES:
        shutil.copyfile(checked_file(shipped, name), folder / name)
    return recipe
