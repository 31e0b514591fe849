"""Reading the registry: which versions there are, and which of them the aliases name."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHALLENGER, PREVIOUS = "challenger", "previous"  # aliases, beside the champion's
ROLLED_BACK_TAG = "callwright.rolled_back"


def aliases_of(client: "MlflowClient", name: str) -> dict[str, str]:
    """Alias -> version; empty where there is no such model."""
    from mlflow.exceptions import MlflowException

    try:
        return {alias: str(version) for alias, version in client.get_registered_model(name).aliases.items()}
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise


def versions_with(client: "MlflowClient", name: str, tag: str, value: str) -> list[str]:
    """The versions that have a tag with a value, oldest first."""
    found = [one for one in client.search_model_versions(f"name = '{name}'") if one.tags.get(tag) == value]
    return sorted((str(one.version) for one in found), key=int)
