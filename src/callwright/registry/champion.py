"""The registered model in use, as far as an evaluation needs it."""

from dataclasses import dataclass
from pathlib import Path

from callwright.errors import DataError, ProviderError
from callwright.tracking import runs

CHAMPION = "champion"  # the alias of the version in use
CONTENT_TAG = "callwright.content"  # the hash of its weights' folder
WEIGHTS_ARTIFACT = "model"  # the artifact with them
_NOT_FOUND_CODES = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # no such model; no such alias


@dataclass(frozen=True, slots=True)
class Champion:
    """A version of a registered model; `content` is the hash of the folder with its weights."""

    name: str
    version: str
    content: str

    def download(self, folder: Path) -> Path:
        """Put the version below a folder; returns where in it the weights are.

        Raises:
            ProviderError: the registry or its artifact store cannot be used.
            DataError: the version holds no weights of ours.
        """
        import mlflow
        from mlflow.exceptions import MlflowException
        from mlflow.models import Model

        runs.connect()
        uri = f"models:/{self.name}/{self.version}"
        try:
            whole = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))
            artifacts = Model.load(str(whole)).flavors["python_function"]["artifacts"]
            return whole / str(artifacts[WEIGHTS_ARTIFACT]["path"])
        except KeyError:
            raise DataError(f"{self.name} version {self.version} was not registered by Callwright") from None
        except (MlflowException, OSError) as error:
            raise ProviderError(
                f"the champion, {self.name} version {self.version}, cannot be downloaded ({type(error).__name__}): "
                "check MLflow's artifact store"
            ) from None


def find_champion(name: str) -> Champion | None:
    """The version with the alias `champion`; None where there is none.

    Raises:
        ProviderError: the tracking server cannot be used.
    """
    from mlflow.exceptions import MlflowException

    client = runs.connect()
    try:
        found = client.get_model_version_by_alias(name, CHAMPION)
    except MlflowException as error:
        if error.error_code in _NOT_FOUND_CODES:
            return None
        raise ProviderError(f"MLflow's registry did not say which {name} is champion ({error.error_code})") from None
    return Champion(name, str(found.version), str(found.tags.get(CONTENT_TAG, "")))
