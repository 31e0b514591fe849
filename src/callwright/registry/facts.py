"""The current state of project and registry, which the gate compares with the metrics."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from callwright import paths
from callwright.registry.gate import Facts
from callwright.registry.version import CONTENT_TAG, ROLLED_BACK_TAG, find_champion, versions_of
from callwright.reports.metrics import Inputs
from callwright.reports.model_files import TrainingFile
from callwright.storage.files import file_hash, folder_hash
from callwright.tracking import runs

if TYPE_CHECKING:
    from mlflow import MlflowClient


def current_inputs(champion: str | None) -> Inputs:
    """Hashes of the problems and models that are now on disk, and the champion's version.

    Args:
        champion: the champion's version; None if there is no champion.

    Raises:
        DataError: the student has no training.json of a Callwright training.
    """
    return Inputs(
        training=TrainingFile.load().key,
        problems=file_hash(paths.problems("test")),
        base=folder_hash(paths.BASE),
        student=folder_hash(paths.STUDENT),
        champion=champion,
    )


GATE_REPORTS = (paths.METRICS, paths.QUALITY_REPORT)


def current_facts(client: "MlflowClient", name: str) -> Facts:
    """The facts of this project and of the registered model `name`.

    Raises:
        DataError: the student is missing, or was not trained by Callwright.
        ProviderError: the tracking server cannot be used.
    """
    champion = find_champion(name)
    inputs = current_inputs(champion.version if champion else None)
    return Facts(
        inputs=inputs,
        is_champion=champion is not None and champion.content_hash == inputs.student,
        rolled_back=_rolled_back_version(client, name, inputs.student),
        changed_reports=tuple(str(path) for path in GATE_REPORTS if _differs_from_dvc_lock(path)),
    )


def _rolled_back_version(client: "MlflowClient", name: str, content_hash: str) -> str | None:
    for version in versions_of(client, name):
        if version.tags.get(CONTENT_TAG) == content_hash and ROLLED_BACK_TAG in version.tags:
            return str(version.version)
    return None


def _differs_from_dvc_lock(path: Path) -> bool:
    recorded = runs.dvc_hash(path)
    return recorded not in ("", _file_md5(path))  # empty: DVC does not track the file


def _file_md5(path: Path) -> str:
    """A file's MD5, which is DVC's hash of it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
