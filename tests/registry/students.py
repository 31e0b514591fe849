"""Students in the registry, as the pipeline registers them."""

from pathlib import Path
from typing import TYPE_CHECKING

from callwright.records import Protocol
from callwright.registry.register import MODEL_CODE
from callwright.registry.served import serving_config
from callwright.tracking.runs import connect

if TYPE_CHECKING:
    from mlflow import MlflowClient


def save_student(saved: Path, base: Path, max_steps: int = 3, max_tokens: int = 8) -> None:
    """Save the model of a folder with MLflow, without a registry."""
    import mlflow

    mlflow.pyfunc.save_model(
        saved,
        python_model=str(MODEL_CODE),
        model_config=serving_config(max_steps, max_tokens, "text"),
        artifacts={"model": str(base)},
        pip_requirements=["mlflow"],
    )


def register_student(name: str, folder: Path, max_steps: int, max_tokens: int, protocol: Protocol) -> "MlflowClient":
    """Register the model of a folder under a name, as version 1 without an alias."""
    import mlflow

    client = connect()
    with mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="student",
            python_model=str(MODEL_CODE),
            model_config=serving_config(max_steps, max_tokens, protocol),
            artifacts={"model": str(folder)},
            pip_requirements=["mlflow"],
            registered_model_name=name,
        )
    return client
