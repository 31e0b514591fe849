"""Read the model registry: versions, aliases, the champion, and the files of a version."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callwright.errors import DataError, GateError, ProviderError
from callwright.params.promote import is_model_name
from callwright.text import one_line
from callwright.tracking import runs

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"  # aliases
CONTENT_TAG = "callwright.content"  # the hash of the folder with the version's weights
ROLLED_BACK_TAG = "callwright.rolled_back"
WEIGHTS_ARTIFACT = "model"  # the artifact with the weights
_MAX_TAG_CHARS = 5_000  # what MLflow's database accepts


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """The files of a version on this machine.

    Attributes:
        weights: the folder with weights and tokenizer.
        config: the `model_config` that the version was registered with; empty if there is none.
    """

    weights: Path
    config: Mapping[str, Any]


def download_version(uri: str, folder: Path) -> VersionFiles:
    """Download a registered model and find its weights.

    Files in an artifact store on this machine are not copied: the result then points into the store.

    Args:
        uri: `models:/name/version` or `models:/name@alias`; `runs.connect` has been called.
        folder: where files from a server are put.

    Raises:
        MlflowException: there is no such version, or the registry or the artifact store cannot be used.
        OSError: the files cannot be read or written.
        KeyError: the version was not registered by Callwright.
    """
    from mlflow.artifacts import download_artifacts
    from mlflow.models import Model
    from mlflow.store.artifact.models_artifact_repo import ModelsArtifactRepository
    from mlflow.utils.uri import is_local_uri

    is_local = is_local_uri(ModelsArtifactRepository.get_underlying_uri(uri))
    version_folder = Path(download_artifacts(uri, dst_path=None if is_local else str(folder)))
    flavor = Model.load(str(version_folder)).flavors["python_function"]
    weights = version_folder / str(flavor["artifacts"][WEIGHTS_ARTIFACT]["path"])
    return VersionFiles(weights, flavor.get("config") or {})


@dataclass(frozen=True, slots=True)
class Champion:
    """The champion of a registered model; `content_hash` is the hash of the folder with its weights."""

    name: str
    version: str
    content_hash: str

    def download(self, folder: Path) -> Path:
        """Download the champion, below `folder` if it comes from a server; returns the folder with its weights.

        Raises:
            ProviderError: the registry or its artifact store cannot be used.
            DataError: the version was not registered by Callwright.
        """
        from mlflow.exceptions import MlflowException

        runs.connect()
        try:
            return download_version(f"models:/{self.name}/{self.version}", folder).weights
        except KeyError:
            raise DataError(f"{self.name} version {self.version} was not registered by Callwright") from None
        except (MlflowException, OSError) as error:
            raise ProviderError(
                f"the champion, {self.name} version {self.version}, cannot be downloaded ({type(error).__name__}): "
                "check MLflow's artifact store"
            ) from None


def find_champion(name: str) -> Champion | None:
    """The version with the alias `champion`; None if there is none.

    Raises:
        ProviderError: the tracking server cannot be used, or rejects the name.
    """
    from mlflow.exceptions import MlflowException

    client = runs.connect()
    try:
        # Not by the alias: its lookup gives an unknown alias the code of every invalid parameter
        version = aliases_of(client, name).get(CHAMPION)
        if version is None:
            return None
        tags = client.get_model_version(name, version).tags
    except MlflowException as error:
        raise ProviderError(
            f"MLflow's registry did not answer which version of {name} is champion ({error.error_code})"
        ) from None
    return Champion(name, version, str(tags.get(CONTENT_TAG, "")))


def tag_value(text: str) -> str:
    """A text shortened and escaped so that every database accepts it in a tag."""
    return one_line(text, _MAX_TAG_CHARS)


def versions_of(client: "MlflowClient", name: str) -> "list[ModelVersion]":
    """All versions of a model; empty if there is no such model.

    Raises:
        GateError: the name is not a valid model name. It would become part of a query.
    """
    if not is_model_name(name):
        raise GateError(f"{one_line(repr(name), 100)} is not a registered model's name: set promote.model_name")
    return list(client.search_model_versions(f"name = '{name}'"))


def aliases_of(client: "MlflowClient", name: str) -> dict[str, str]:
    """Alias -> version; empty if there is no such model."""
    from mlflow.exceptions import MlflowException

    try:
        return {alias: str(version) for alias, version in client.get_registered_model(name).aliases.items()}
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise


def versions_with_tag(client: "MlflowClient", name: str, tag: str, value: str) -> list[str]:
    """The versions whose tag has a value, oldest first."""
    matching = [version for version in versions_of(client, name) if version.tags.get(tag) == value]
    return sorted((str(version.version) for version in matching), key=int)
