"""MLflow runs: one per pipeline execution, identified by the hash of the training's inputs."""

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
from callwright.reports.model_files import TrainingFile

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "callwright"
SQLITE_PREFIX = "sqlite:///"
DATABASE_FILE = Path("mlflow.db")
KEY_TAG = "callwright.training"  # the hash of a training's inputs
LINEAGE_PATHS = (  # one path in each DVC output that a training depends on
    paths.problems("train"),
    paths.TEACHER_CHAINS,
    paths.VALIDATED,
    paths.PAIRS_TRAIN,
)


def tracking_uri() -> str:
    """MLFLOW_TRACKING_URI, or a SQLite file in the project's folder.

    A SQLite file is given by its absolute path: MLflow caches one store per URI, even if the working folder changes.
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
    """Create MLflow's tables in a temporary file and move it into place, so a kill leaves no broken database."""
    from filelock import FileLock
    from mlflow import MlflowClient

    if file.exists():
        return
    with FileLock(f"{file}.lock"), TemporaryDirectory(prefix=f"{file.name}.", dir=file.parent) as folder:
        if not file.exists():
            new_file = Path(folder, file.name)
            MlflowClient(tracking_uri=f"{SQLITE_PREFIX}{new_file}").search_experiments()
            new_file.replace(file)


def redacted_tracking_uri() -> str:
    """The tracking URI with a password in it, if any, replaced by asterisks."""
    return redacted(tracking_uri())


@contextmanager
def pipeline_run(key: str, name: str = "", *, system_metrics: bool = False) -> Iterator[str]:
    """Activate the run of one pipeline execution; yields its id.

    All stages of an execution find the same run by `key`. If there is no run, it is created; that also happens with an
    empty store when DVC took the training from its run-cache.

    Args:
        key: the training's key (see `callwright.training.dpo.training_key`).
        name: of a new run; by default derived from the key.
        system_metrics: log the machine's load every few seconds.

    Raises:
        ProviderError: the server cannot be reached, stops while the run is active, or rejects the logged data.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    client = connect()
    experiment_id = _experiment_id(client)
    runs = client.search_runs([experiment_id], f"tags.`{KEY_TAG}` = '{key}'", max_results=1)
    try:
        with mlflow.start_run(
            run_id=runs[0].info.run_id if runs else None,
            experiment_id=None if runs else experiment_id,
            run_name=None if runs else (name or f"training {key[:8]}"),
            log_system_metrics=system_metrics,
        ) as run:
            mlflow.set_tags({KEY_TAG: key, "callwright.data": dvc_hash(paths.PAIRS_TRAIN)})
            yield run.info.run_id
    except MlflowException as error:  # its text may hold the server's address with a password
        raise ProviderError(
            f"MLflow at {redacted_tracking_uri()} rejected the logged data ({error.error_code}): "
            f"check the server and run again; a training resumes from its last checkpoint"
        ) from None


def _experiment_id(client: "MlflowClient") -> str:
    """The id of Callwright's experiment, which is created if it is missing. Another process may create it first."""
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        folder = Path("mlartifacts").resolve().as_uri() if tracking_uri().startswith("sqlite") else None
        try:
            return str(client.create_experiment(EXPERIMENT, artifact_location=folder))
        except MlflowException as error:
            experiment = client.get_experiment_by_name(EXPERIMENT)
            if error.error_code != "RESOURCE_ALREADY_EXISTS" or experiment is None:
                raise
    return str(experiment.experiment_id)


def log_lineage() -> None:
    """Log the data behind a training as inputs of the active run: each pipeline output with DVC's hash."""
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
    """DVC's hash of the output that contains a path, from dvc.lock; empty if dvc.lock does not list it."""
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
    """Log metrics and files to the run that trained a student, or to a new run in an empty store; returns its id.

    Args:
        student: the student's folder; its training.json names the training.
        metrics: nested; numbers are logged under their path, joined by dots.
        artifacts: files that are logged in the artifact folder `reports`.

    Raises:
        ProviderError: the tracking server cannot be used.
    """
    import mlflow

    key = TrainingFile.load(student / TRAINING_FILE).key
    with pipeline_run(key) as run_id:
        mlflow.log_metrics(dict(flatten_metrics(metrics)))
        for path in artifacts:
            mlflow.log_artifact(str(path), "reports")
    return run_id


def flatten_metrics(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of a nested mapping with dotted names.

    >>> list(flatten_metrics({"accuracy": {"base": 0.5}, "n": 3, "note": "text"}))
    [('accuracy.base', 0.5), ('n', 3.0)]
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flatten_metrics(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{name}", float(value)
