"""MLflow runs: one per pipeline execution, found again by what determines its result."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from callwright import paths
from callwright.errors import ProviderError
from callwright.paths import TRAINING_FILE
from callwright.redaction import redacted
from callwright.storage.files import read_json

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "callwright"
SQLITE_PREFIX = "sqlite:///"
DATABASE_FILE = Path("mlflow.db")
KEY_TAG = "callwright.training"  # the hash of what determines a training's result
LINEAGE_PATHS = (
    paths.problems("train"),
    paths.TEACHER_CHAINS,
    paths.VALIDATED,
    paths.PAIRS_TRAIN,
)  # each of one DVC output


def tracking_uri() -> str:
    """MLFLOW_TRACKING_URI, or a SQLite file in the project's folder.

    A SQLite file is named by its whole path: MLflow keeps one store per URI in a process, whatever the folder.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE_PREFIX}{DATABASE_FILE}"
    return f"{SQLITE_PREFIX}{Path(uri.removeprefix(SQLITE_PREFIX)).resolve()}" if uri.startswith(SQLITE_PREFIX) else uri


def connect() -> "MlflowClient":
    """A client of the tracking server and registry.

    Raises:
        ProviderError: the server cannot be reached.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    import mlflow

    mlflow.set_tracking_uri(tracking_uri())
    mlflow.set_registry_uri(os.environ.get("MLFLOW_REGISTRY_URI") or tracking_uri())
    try:
        if tracking_uri().startswith(SQLITE_PREFIX):
            _create_database(Path(tracking_uri().removeprefix(SQLITE_PREFIX)))
        client = mlflow.MlflowClient()
        client.get_experiment_by_name(EXPERIMENT)
    except Exception as error:
        raise ProviderError(
            f"MLflow at {redacted_tracking_uri()} cannot be used ({type(error).__name__}): "
            f"check MLFLOW_TRACKING_URI and that the server runs"
        ) from None
    return client


def _create_database(file: Path) -> None:
    """Make MLflow's tables in a file of their own and move it into place: a kill half way leaves no broken database."""
    from filelock import FileLock
    from mlflow import MlflowClient

    if file.exists():
        return
    with FileLock(f"{file}.lock"), TemporaryDirectory(prefix=f"{file.name}.", dir=file.parent) as folder:
        if not file.exists():
            made = Path(folder, file.name)
            MlflowClient(tracking_uri=f"{SQLITE_PREFIX}{made}").search_experiments()
            made.replace(file)


def redacted_tracking_uri() -> str:
    """The tracking URI without the password that it may hold."""
    return redacted(tracking_uri())


@contextmanager
def pipeline_run(key: str, name: str = "", *, system_metrics: bool = False) -> Iterator[str]:
    """The run of one pipeline execution, made active; yields its id.

    The stages of an execution find the same run by `key`, also when DVC took some of them from its run-cache and the
    store is empty: then the run is made anew.

    Args:
        key: the training's key (see `callwright.training.dpo.training_key`).
        system_metrics: log what the machine does meanwhile, every few seconds.

    Raises:
        ProviderError: the server cannot be reached, goes away meanwhile, or refuses what is logged.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    client = connect()
    experiment_id = _experiment_id(client)
    found = client.search_runs([experiment_id], f"tags.`{KEY_TAG}` = '{key}'", max_results=1)
    try:
        with mlflow.start_run(
            run_id=found[0].info.run_id if found else None,
            experiment_id=None if found else experiment_id,
            run_name=None if found else (name or f"training {key[:8]}"),
            log_system_metrics=system_metrics,
        ) as run:
            mlflow.set_tags({KEY_TAG: key, "callwright.data": dvc_hash(paths.PAIRS_TRAIN)})
            yield run.info.run_id
    except MlflowException as error:  # its text may hold the server's address with a password
        raise ProviderError(
            f"MLflow at {redacted_tracking_uri()} did not take what was logged ({error.error_code}): "
            f"check the server and run again; a training goes on from its last checkpoint"
        ) from None


def _experiment_id(client: "MlflowClient") -> str:
    """The id of Callwright's experiment; made where there is none, which another process may do at the same time."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        folder = Path("mlartifacts").resolve().as_uri() if tracking_uri().startswith("sqlite") else None
        try:
            return str(client.create_experiment(EXPERIMENT, artifact_location=folder))
        except MlflowException as error:
            found = client.get_experiment_by_name(EXPERIMENT)
            if error.error_code != "RESOURCE_ALREADY_EXISTS" or found is None:
                raise
    return str(found.experiment_id)


def log_lineage() -> None:
    """Name the data behind a training as inputs of the active run: each pipeline output on the way, with DVC's hash."""
    import mlflow
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.data.sources import LocalArtifactDatasetSource

    for path in LINEAGE_PATHS:
        digest = dvc_hash(path)
        if digest:
            source = LocalArtifactDatasetSource(str(path.parent))
            context = "training" if path == paths.PAIRS_TRAIN else "lineage"
            mlflow.log_input(MetaDataset(source, name=path.parent.name, digest=digest), context=context)


def dvc_hash(path: Path) -> str:
    """What dvc.lock recorded of an output; empty where it says nothing."""
    from ruamel.yaml import YAML

    if not paths.DVC_LOCK.is_file():
        return ""
    lock: Mapping[str, Any] = YAML(typ="safe").load(paths.DVC_LOCK.read_text()) or {}
    for stage in lock.get("stages", {}).values():
        for out in stage.get("outs", []):
            if Path(path).is_relative_to(out["path"]):
                return str(out.get("md5", ""))
    return ""


def log_to_training_run(student: Path, metrics: Mapping[str, Any], artifacts: Sequence[Path]) -> str:
    """Add metrics and files to the run that trained a student (or to a new one in an empty store); returns its id.

    Args:
        student: its folder; training.json in it names the training.
        metrics: nested; numbers are logged under their path, joined by dots.
    """
    import mlflow

    key = read_json(student / TRAINING_FILE)["key"]
    with pipeline_run(key) as run_id:
        mlflow.log_metrics(dict(flatten_metrics(metrics)))
        for path in artifacts:
            mlflow.log_artifact(str(path), "reports")
    return run_id


def flatten_metrics(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Numbers of a nested mapping with dotted names.

    >>> list(flatten_metrics({"accuracy": {"base": 0.5}, "n": 3, "note": "text"}))
    [('accuracy.base', 0.5), ('n', 3.0)]
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flatten_metrics(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{name}", float(value)
