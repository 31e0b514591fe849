"""The champion and its files in a real MLflow registry on SQLite."""

import shutil
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel

from callwright.errors import DataError, ProviderError
from callwright.registry.version import CONTENT_TAG, WEIGHTS_ARTIFACT, find_champion
from callwright.storage.files import folder_hash
from callwright.tracking import runs

pytestmark = [pytest.mark.slow]
NAME = "callwright-student"
EXPERIMENT = "here"


class Anything(PythonModel):
    """A model whose predictions do not matter here."""

    def predict(self, context, model_input, params=None):
        return model_input


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, which takes seconds to create."""
    database = tmp_path_factory.mktemp("store") / "mlflow.db"
    mlflow.MlflowClient(tracking_uri=f"sqlite:///{database}").search_experiments()
    return database


@pytest.fixture
def registry(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder with its own store."""
    shutil.copy(empty_store, tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    client = runs.connect()
    client.create_experiment(EXPERIMENT, artifact_location=(tmp_path / "mlartifacts").as_uri())
    return tmp_path


def register(weights: Path | None) -> str:
    """Register a version as the pipeline does, and make it champion."""
    artifacts = {WEIGHTS_ARTIFACT: str(weights)} if weights else None
    client = mlflow.MlflowClient()
    with mlflow.start_run(experiment_id=client.get_experiment_by_name(EXPERIMENT).experiment_id):
        model_info = mlflow.pyfunc.log_model(
            name="student",
            python_model=Anything(),
            artifacts=artifacts,
            pip_requirements=[],
            registered_model_name=NAME,
        )
    version = str(model_info.registered_model_version)
    if weights:
        client.set_model_version_tag(NAME, version, CONTENT_TAG, folder_hash(weights))
    client.set_registered_model_alias(NAME, "champion", version)
    return version


def test_without_a_registered_model_there_is_no_champion(registry: Path):
    assert find_champion(NAME) is None


def test_a_registered_model_without_the_alias_has_no_champion(registry: Path):
    mlflow.MlflowClient().create_registered_model(NAME)
    assert find_champion(NAME) is None


def test_another_error_of_the_registry_is_not_taken_for_a_missing_champion(registry: Path):
    """MLflow gives an invalid name the same code as an unknown alias."""
    with pytest.raises(MlflowException) as caught:
        mlflow.MlflowClient().get_model_version_by_alias("a/b", "champion")
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    with pytest.raises(ProviderError, match=r"did not answer which version of a/b is champion \(INVALID_PARAMETER"):
        find_champion("a/b")


def test_the_champions_downloaded_weights_are_unchanged(registry: Path, tmp_path: Path):
    weights = tmp_path / "models" / "student"
    weights.mkdir(parents=True)
    (weights / "config.json").write_text("{}")
    version = register(weights)
    champion = find_champion(NAME)
    assert champion is not None
    assert (champion.version, champion.content_hash) == (version, folder_hash(weights))
    (tmp_path / "there").mkdir()
    assert folder_hash(champion.download(tmp_path / "there")) == champion.content_hash


def test_a_version_that_callwright_did_not_register_is_an_error(registry: Path, tmp_path: Path):
    version = register(None)
    champion = find_champion(NAME)
    assert champion is not None
    with pytest.raises(DataError, match=f"{NAME} version {version} was not registered by Callwright"):
        champion.download(tmp_path)


def test_missing_weights_give_a_one_line_error(registry: Path, tmp_path: Path):
    weights = tmp_path / "student"
    weights.mkdir()
    (weights / "config.json").write_text("{}")
    register(weights)
    champion = find_champion(NAME)
    (tmp_path / "mlartifacts").rename(tmp_path / "elsewhere")
    assert champion is not None
    (tmp_path / "there").mkdir()
    with pytest.raises(ProviderError, match=r"cannot be downloaded .*: check MLflow's artifact store"):
        champion.download(tmp_path / "there")


def test_a_server_that_is_down_gives_a_one_line_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(ProviderError, match=r"MLflow at http://127\.0\.0\.1:9 cannot be used"):
        find_champion(NAME)
