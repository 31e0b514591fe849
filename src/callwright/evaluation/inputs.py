"""What an evaluation was made of, so that nobody takes its numbers for another model's."""

from callwright import paths
from callwright.paths import TRAINING_FILE
from callwright.storage.files import file_hash, folder_hash, read_json


def current_inputs(champion: str | None) -> dict[str, str | None]:
    """Hashes of the problems and models that lie there now, and the champion's version.

    Args:
        champion: the version of the registered model in use.

    Raises:
        DataError: the student was not made by a training of ours.
    """
    return {
        "training": str(read_json(paths.STUDENT / TRAINING_FILE)["key"]),
        "problems": file_hash(paths.problems("test")),
        "base": folder_hash(paths.BASE),
        "student": folder_hash(paths.STUDENT),
        "champion": champion,
    }
