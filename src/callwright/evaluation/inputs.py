"""Hashes that tie metrics to the problems and models they were measured on."""

from callwright import paths
from callwright.paths import TRAINING_FILE
from callwright.storage.files import file_hash, folder_hash, read_json


def current_inputs(champion: str | None) -> dict[str, str | None]:
    """Hashes of the problems and models that are now on disk, and the champion's version.

    Args:
        champion: the champion's version; None if there is no champion.

    Raises:
        DataError: the student has no training.json of a Callwright training.
    """
    return {
        "training": str(read_json(paths.STUDENT / TRAINING_FILE)["key"]),
        "problems": file_hash(paths.problems("test")),
        "base": folder_hash(paths.BASE),
        "student": folder_hash(paths.STUDENT),
        "champion": champion,
    }
