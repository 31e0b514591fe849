"""Register a student together with everything that it needs to answer questions on another machine."""

import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import callwright
from callwright import paths
from callwright.params import Params
from callwright.registry.answer_row import AnswerRow
from callwright.registry.card import model_card
from callwright.registry.lineage import collect_lineage
from callwright.registry.version import CONTENT_TAG, WEIGHTS_ARTIFACT, tag_value, versions_with_tag
from callwright.storage.files import read_json
from callwright.tasks import Tasks
from callwright.tasks.user_tasks import code_paths

if TYPE_CHECKING:
    from mlflow import MlflowClient

SERVING_PACKAGES = (  # a version requires them as they are installed here
    *("jinja2", "lark", "mlflow", "pandas", "pydantic", "safetensors", "sympy", "tokenizers", "torch", "transformers"),
    "z3-solver",
)
PACKAGE_FOLDER = Path(callwright.__file__).parent
MODEL_CODE = PACKAGE_FOLDER / "registry/model_from_code.py"
MAX_DESCRIPTION_CHARS = 5_000  # what MLflow's database accepts


def register_student(
    client: "MlflowClient",
    params: Params,
    tasks: Tasks,
    metrics: Mapping[str, Any],
    run_id: str,
    content_hash: str,
) -> str:
    """Register the student of the project; returns its version. A version with the same content is used again.

    A version is created together with its tags and card. A kill before that leaves a copy of the model in the run and
    nothing in the registry.

    Args:
        metrics: reports/metrics.json.
        run_id: the MLflow run that trained the student.
        content_hash: the hash of the student's folder.
    """
    existing = versions_with_tag(client, params.promote.model_name, CONTENT_TAG, content_hash)
    return existing[0] if existing else _create_version(client, params, tasks, metrics, run_id, content_hash)


def _create_version(
    client: "MlflowClient",
    params: Params,
    tasks: Tasks,
    metrics: Mapping[str, Any],
    run_id: str,
    content_hash: str,
) -> str:
    import mlflow
    from mlflow.exceptions import MlflowException

    from callwright.registry.served import serving_config

    rollout = params.rollout
    name = params.promote.model_name
    lineage = collect_lineage()
    reports = read_json(paths.PROBLEMS_REPORT), read_json(paths.TRAIN_REPORT)
    card = model_card(params, tasks, metrics, *reports, lineage)
    with warnings.catch_warnings(), mlflow.start_run(run_id=run_id), tempfile.TemporaryDirectory() as folder:
        readme = Path(folder, "README.md")
        readme.write_text(card)
        # No input example: with one, MLflow would load the model and run it during registration.
        warnings.filterwarnings("ignore", message=".*An input example was not provided")
        model_info = mlflow.pyfunc.log_model(
            name="student",
            python_model=str(MODEL_CODE),
            model_config=serving_config(rollout.max_steps, rollout.max_tokens, rollout.protocol, tasks.modules),
            artifacts={WEIGHTS_ARTIFACT: str(paths.STUDENT), "card": str(readme)},
            code_paths=[str(path) for path in (PACKAGE_FOLDER, *code_paths(tasks.modules))],
            pip_requirements=[f"{package}=={version(package).partition('+')[0]}" for package in SERVING_PACKAGES],
            signature=_signature(),
        )
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {f"callwright.{key.replace(' ', '_')}": tag_value(value) for key, value in lineage.items()}
    created = client.create_model_version(
        name,
        source=model_info.model_uri,
        run_id=run_id,
        tags={CONTENT_TAG: content_hash, **tags},
        description=shorten_card(card),
        model_id=model_info.model_id,
    )
    return str(created.version)


def _signature() -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import Array

    from callwright.registry.served import INPUT_COLUMNS

    columns: dict[Any, Any] = {str: "string", bool: "boolean", list[str]: Array(DataType.string)}
    return ModelSignature(
        inputs=Schema([ColSpec("string", name) for name in INPUT_COLUMNS]),
        outputs=Schema([ColSpec(columns[column.type], column.name) for column in fields(AnswerRow)]),
    )


def shorten_card(card: str) -> str:
    """The card, cut at the end of a line if it has more than MAX_DESCRIPTION_CHARS characters."""
    if len(card) <= MAX_DESCRIPTION_CHARS:
        return card
    rest = "\n\n(The whole card is README.md among the version's artifacts.)\n"
    return card[: MAX_DESCRIPTION_CHARS - len(rest)].rpartition("\n")[0] + rest
