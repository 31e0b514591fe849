"""A student into the model registry: everything that a version needs to answer elsewhere, in one piece."""

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
from callwright.registry.champion import CONTENT_TAG, WEIGHTS_ARTIFACT
from callwright.registry.lineage import collect_lineage
from callwright.registry.version import tag_value, versions_with_tag
from callwright.storage.files import read_json
from callwright.tasks.user_tasks import code_paths

if TYPE_CHECKING:
    from mlflow import MlflowClient

SERVING_PACKAGES = (
    *("jinja2", "lark", "mlflow", "pandas", "pydantic", "safetensors", "sympy", "tokenizers", "torch", "transformers"),
    "z3-solver",
)
PACKAGE_FOLDER = Path(callwright.__file__).parent
MODEL_CODE = PACKAGE_FOLDER / "registry/model_from_code.py"
MAX_DESCRIPTION_CHARS = 5_000  # what MLflow's database takes


def registered(client: "MlflowClient", params: Params, metrics: Mapping[str, Any], run_id: str, content: str) -> str:
    """The version that holds a student: the one with the same content where there is one, else a new one.

    A version appears at once with its tags and card: a kill before that leaves an unregistered copy in the run, and
    nothing in the registry.

    Args:
        content: the hash of the student's folder.
    """
    name = params.promote.model_name
    known = versions_with_tag(client, name, CONTENT_TAG, content)
    return known[0] if known else _register(client, params, metrics, run_id, content)


def _register(client: "MlflowClient", params: Params, metrics: Mapping[str, Any], run_id: str, content: str) -> str:
    import mlflow
    from mlflow.exceptions import MlflowException

    from callwright.registry.served import settings

    asked = params.rollout
    name = params.promote.model_name
    lineage = collect_lineage()
    reports = read_json(paths.PROBLEMS_REPORT), read_json(paths.TRAIN_REPORT)
    card = model_card(params, metrics, *reports, lineage)
    with warnings.catch_warnings(), mlflow.start_run(run_id=run_id), tempfile.TemporaryDirectory() as folder:
        readme = Path(folder, "README.md")
        readme.write_text(card)
        # With an example MLflow would load the model and ask it, here and now.
        warnings.filterwarnings("ignore", message=".*An input example was not provided")
        logged = mlflow.pyfunc.log_model(
            name="student",
            python_model=str(MODEL_CODE),
            model_config=settings(asked.max_steps, asked.max_tokens, asked.protocol, params.functions),
            artifacts={WEIGHTS_ARTIFACT: str(paths.STUDENT), "card": str(readme)},
            code_paths=[str(path) for path in (PACKAGE_FOLDER, *code_paths(params.functions))],
            pip_requirements=[f"{package}=={version(package).partition('+')[0]}" for package in SERVING_PACKAGES],
            signature=_signature(),
        )
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {f"callwright.{key.replace(' ', '_')}": tag_value(value) for key, value in lineage.items()}
    made = client.create_model_version(
        name,
        source=logged.model_uri,
        run_id=run_id,
        tags={CONTENT_TAG: content, **tags},
        description=shorten_card(card),
        model_id=logged.model_id,
    )
    return str(made.version)


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
    """A card of at most MAX_DESCRIPTION_CHARS characters, cut at the end of a line."""
    if len(card) <= MAX_DESCRIPTION_CHARS:
        return card
    rest = "\n\n(The whole card is README.md among the version's artifacts.)\n"
    return card[: MAX_DESCRIPTION_CHARS - len(rest)].rpartition("\n")[0] + rest
