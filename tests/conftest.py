"""Before anything is imported: no telemetry, no downloads. Properties get no deadline: the machine may be busy."""

import os
from collections.abc import Iterator

os.environ["GX_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
from hypothesis import settings

settings.register_profile("callwright", deadline=None, max_examples=80)
settings.load_profile("callwright")


@pytest.fixture(autouse=True)
def _tracking_settings() -> Iterator[None]:
    """MLflow writes the addresses it is given into the environment, where the next test would find them."""
    names = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
    before = {name: os.environ.get(name) for name in names}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
