"""Set up every test process: no telemetry, no downloads, working interrupts, no deadline for properties."""

import gc
import io
import logging
import os
import signal
import sys
from collections.abc import Iterator

os.environ["GX_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["CALLWRIGHT_PROGRESS"] = "off"  # how many lines of progress there are depends on the machine's load

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a shell starts background processes like this
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests interrupt themselves and their programs

import pytest
from hypothesis import settings

settings.register_profile("callwright", deadline=None, max_examples=80)
settings.load_profile("callwright")


@pytest.fixture(autouse=True)
def _tracking_settings() -> Iterator[None]:
    """Reset MLflow's addresses, which it keeps in the process and in the environment."""
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
    """Keep the garbage collector out of timed calls: traversing all earlier objects takes up to a second."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def stage_log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Takes lines about the progress of a stage in this process, 50 a second."""
    from callwright import progress

    monkeypatch.delenv("CALLWRIGHT_PROGRESS", raising=False)
    monkeypatch.setattr(progress, "FIRST_S", 0.0)
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.02)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    caplog.set_level(logging.INFO, "callwright")
    return caplog
