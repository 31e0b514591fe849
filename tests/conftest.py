"""Before anything is imported: no telemetry, no downloads, interrupts that arrive. Properties have no deadline."""

import gc
import os
import signal
import sys
from collections.abc import Iterator

os.environ["GX_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell starts what runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests interrupt themselves and programs that they start

import pytest
from hypothesis import settings

settings.register_profile("callwright", deadline=None, max_examples=80)
settings.load_profile("callwright")


@pytest.fixture(autouse=True)
def _tracking_settings() -> Iterator[None]:
    """MLflow keeps the addresses it is given in itself and in the environment, where the next test would find them."""
    before = {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_")}
    yield
    if mlflow := sys.modules.get("mlflow"):
        mlflow.set_tracking_uri(None)
        mlflow.set_registry_uri(None)
    for name in [name for name in os.environ if name.startswith("MLFLOW_") and name not in before]:
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="module")
def frozen_heap() -> Iterator[None]:
    """Timed calls do not pay for the garbage collector, which may walk all earlier tests' objects for a second."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
