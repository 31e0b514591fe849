"""Turn a student that the builder built into the files that ship with the package.

    python -m callwright.standins.embedded.ship FOLDER

FOLDER has the model, its tokenizer, recipe.json and seen_questions.bin. The weights are rounded to float16; the card is
written from `card.md.jinja` and the recipe; the recipe gets the size and hash of every file.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from callwright.errors import CallwrightError, DataError
from callwright.params.address import EMBEDDED
from callwright.paths import RECIPE
from callwright.standins.embedded.seen_questions import SEEN_QUESTIONS_FILE, read_seen_questions
from callwright.standins.embedded.shipped_files import SHIPPED
from callwright.standins.embedded.shipped_student import MODEL_FILES
from callwright.storage.files import file_hash, read_json, write_json, write_text

MAX_WEIGHT_BYTES = 4_000_000
WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"


def ship_student(built: Path, shipped: Path = SHIPPED) -> dict[str, Any]:
    """Replace the shipped student by one that was built.

    Args:
        built: the builder's folder. Only the files that ship are read.

    Returns:
        The shipped recipe.

    Raises:
        DataError: a file is missing, or the weights are too large; the shipped student is unchanged.
    """
    for name in {*MODEL_FILES, RECIPE, SEEN_QUESTIONS_FILE} - {CARD}:
        if not (built / name).is_file():
            raise DataError(f"{built / name} is missing: name the folder that the builder wrote")
    questions = len(read_seen_questions(built / SEEN_QUESTIONS_FILE))
    with tempfile.TemporaryDirectory(prefix=".shipped.", dir=shipped.parent) as temporary:
        new = Path(temporary) / "shipped"
        new.mkdir()
        for name in {*MODEL_FILES, SEEN_QUESTIONS_FILE} - {WEIGHTS, CONFIG, CARD}:
            shutil.copyfile(built / name, new / name)
        parameters = _write_in_float16(built / WEIGHTS, new / WEIGHTS)
        write_text(new / CONFIG, _config_text(built / CONFIG))
        recipe = {**read_json(built / RECIPE), "source": EMBEDDED, "parameters": parameters, "questions": questions}
        write_text(new / CARD, _card(recipe))
        files = {
            name: {"bytes": (new / name).stat().st_size, "sha256": file_hash(new / name)}
            for name in (*MODEL_FILES, SEEN_QUESTIONS_FILE)
        }
        write_json(new / RECIPE, {**recipe, "files": files})
        if shipped.exists():
            shutil.rmtree(shipped)
        new.rename(shipped)
    return {**recipe, "files": files}


def _write_in_float16(source: Path, target: Path) -> int:
    """Round weights to float16; returns their number.

    Raises:
        DataError: the file would be larger than MAX_WEIGHT_BYTES, or a weight is too large for float16.
    """
    import numpy as np
    from safetensors.numpy import load_file, save_file

    with np.errstate(over="ignore"):  # checked below
        weights = {name: weight.astype(np.float16) for name, weight in load_file(source).items()}
    infinite = [name for name, weight in weights.items() if not np.isfinite(weight).all()]
    if infinite:
        raise DataError(f"{source}: {infinite[0]} has a value that is not finite in float16")
    save_file(weights, target, metadata={"format": "pt"})
    target.chmod(0o644)  # save_file makes it readable for its owner only
    if (size := target.stat().st_size) > MAX_WEIGHT_BYTES:
        raise DataError(f"{source} has {size:,} bytes in float16, more than {MAX_WEIGHT_BYTES:,}: build a smaller one")
    return sum(weight.size for weight in weights.values())


def _config_text(path: Path) -> str:
    """The config with float32 as its dtype: transformers then computes in float32, whatever the file stores."""
    return json.dumps({**read_json(path), "dtype": "float32"}, indent=2) + "\n"


def _card(recipe: dict[str, Any]) -> str:
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        keep_trailing_newline=True,
    )
    return environment.get_template("card.md.jinja").render(recipe=recipe)


def main() -> str | None:
    """Ship the student of the folder that the command names; returns the error line."""
    parser = argparse.ArgumentParser(prog="python -m callwright.standins.embedded.ship", description=__doc__)
    parser.add_argument("folder", type=Path, help="what the builder wrote")
    try:
        recipe = ship_student(parser.parse_args().folder)
    except CallwrightError as error:
        return str(error)
    size = recipe["files"][WEIGHTS]["bytes"]
    print(f"{SHIPPED}: {recipe['parameters']:,} weights, {size:,} bytes, {recipe['questions']:,} questions")
    return None


if __name__ == "__main__":
    sys.exit(main())
