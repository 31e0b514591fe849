"""Importing the package is fast and loads no heavy library."""

import subprocess
import sys

import pytest

from tests.working_tree import ROOT

HEAVY = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "datasets",
    "mlflow",
    "great_expectations",
    "pandas",
    "openai",
    "sympy",
)


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_importing_the_package_takes_under_300_ms():
    code = "import time; start = time.perf_counter(); import callwright; print(time.perf_counter() - start)"
    assert min(float(python(code)) for _ in range(3)) < 0.3


@pytest.mark.parametrize(
    "module",
    [
        "callwright",
        "callwright.agent.loop",
        "callwright.chat.local.backend",
        "callwright.chat.open_chat",
        "callwright.chat.openai.endpoint",
        "callwright.cli.ask",
        "callwright.standins.oracle.app",
        "callwright.standins.oracle.backend",
        "callwright.registry.backend",
        "callwright.preferences.forks",
        "callwright.problems.load",
        "callwright.reports.metrics",
        "callwright.rollouts.run",
        "callwright.validation.quality",
        "callwright.validation.check_chains",  # what workers import
        "callwright.rollouts.grade",
        "stages.problems",
        "stages.rollout",
        "stages.validate",
        "stages.pairs",
        "stages.evaluate",  # its code is imported below the guard, as workers import the script too
    ],
)
def test_importing_a_module_loads_no_heavy_library(module):
    loaded = python(f"import sys, {module}; print(*(name for name in {HEAVY} if name in sys.modules))")
    assert loaded.split() == []
