"""What lies in the project and in the registry now: what the gate holds the metrics against."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from callwright import paths
from callwright.evaluation.inputs import current_inputs
from callwright.registry.champion import CONTENT_TAG, find_champion
from callwright.registry.gate import Facts
from callwright.registry.version import ROLLED_BACK_TAG, versions_of
from callwright.tracking import runs

if TYPE_CHECKING:
    from mlflow import MlflowClient

GATE_REPORTS = (paths.METRICS, paths.QUALITY_REPORT)


def current_facts(client: "MlflowClient", name: str) -> Facts:
    """The facts of this project and of the registered model `name`.

    Raises:
        DataError: the student is missing or not one of Callwright's trainings.
        ProviderError: the tracking server cannot be used.
    """
    champion = find_champion(name)
    inputs = current_inputs(champion.version if champion else None)
    return Facts(
        inputs=inputs,
        is_champion=champion is not None and champion.content == inputs["student"],
        rolled_back=_rolled_back_version(client, name, str(inputs["student"])),
        changed=tuple(str(path) for path in GATE_REPORTS if runs.dvc_hash(path) not in ("", _file_md5(path))),
    )


def _rolled_back_version(client: "MlflowClient", name: str, student: str) -> str | None:
    for version in versions_of(client, name):
        if version.tags.get(CONTENT_TAG) == student and ROLLED_BACK_TAG in version.tags:
            return str(version.version)
    return None


def _file_md5(path: Path) -> str:
    """As DVC takes it of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
