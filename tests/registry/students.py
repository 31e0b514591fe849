"""A student in the registry, as the pipeline leaves it."""

from pathlib import Path
from typing import TYPE_CHECKING

from callwright.records import Protocol
from callwright.registry.register import CODE
from callwright.registry.served import settings
from callwright.training.tracking import connect

if TYPE_CHECKING:
    from mlflow import MlflowClient


def register_student(name: str, folder: Path, max_steps: int, max_tokens: int, protocol: Protocol) -> "MlflowClient":
    """Register the model of a folder under a name, as version 1 without an alias."""
    import mlflow

    client = connect()
    with mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="student",
            python_model=str(CODE),
            model_config=settings(max_steps, max_tokens, protocol),
            artifacts={"model": str(folder)},
            pip_requirements=["mlflow"],
            registered_model_name=name,
        )
    return client
