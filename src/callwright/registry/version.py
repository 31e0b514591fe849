"""Reading the registry: which versions there are, and which of them the aliases name."""

from typing import TYPE_CHECKING

from callwright.errors import GateError
from callwright.params.promote import is_model_name
from callwright.text import one_line

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHALLENGER, PREVIOUS = "challenger", "previous"  # aliases, beside the champion's
ROLLED_BACK_TAG = "callwright.rolled_back"
_MAX_TAG_CHARS = 5_000  # characters that MLflow's database takes


def tag_value(text: str) -> str:
    """A text as every database takes it in a tag: on one line, without what cannot be shown, not too long."""
    return one_line(text, _MAX_TAG_CHARS)


def versions_of(client: "MlflowClient", name: str) -> "list[ModelVersion]":
    """All versions of a model; none where there is no such model.

    Raises:
        GateError: no model can have that name, which would be part of a query.
    """
    if not is_model_name(name):
        raise GateError(f"{one_line(repr(name), 100)} is not a registered model's name: set promote.model_name")
    return list(client.search_model_versions(f"name = '{name}'"))


def aliases_of(client: "MlflowClient", name: str) -> dict[str, str]:
    """Alias -> version; empty where there is no such model."""
    from mlflow.exceptions import MlflowException

    try:
        return {alias: str(version) for alias, version in client.get_registered_model(name).aliases.items()}
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise


def versions_with_tag(client: "MlflowClient", name: str, tag: str, value: str) -> list[str]:
    """The versions that have a tag with a value, oldest first."""
    matching = [version for version in versions_of(client, name) if version.tags.get(tag) == value]
    return sorted((str(version.version) for version in matching), key=int)
