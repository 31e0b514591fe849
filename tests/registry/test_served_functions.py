"""A registered model contains the user's own module, so it loads outside the project."""

import subprocess
import sys
from pathlib import Path

import pytest

from callwright.tasks.user_tasks import code_paths

MODULE = """
from callwright.functions.function import function
from callwright.functions.numbers import Number

@function(example={"a": 2})
def double(a: Number) -> Number:
    "Twice a number."
    return a * 2

FUNCTIONS = {"arithmetic": (double,)}
"""

LOADED_ELSEWHERE = """
import sys
import mlflow
mlflow.pyfunc.load_model(sys.argv[1])
from callwright.tasks import load_tasks
assert "double" in load_tasks(["own_served_module"])["arithmetic"].toolbox.functions
print(sys.modules["own_served_module"].__file__)
"""


@pytest.mark.slow
def test_a_served_model_has_the_users_functions_outside_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import mlflow

    from callwright.registry.register import MODEL_CODE
    from callwright.registry.served import serving_config

    project, elsewhere, saved = (tmp_path / name for name in ("project", "elsewhere", "saved"))
    for folder in (project, elsewhere, tmp_path / "weights"):
        folder.mkdir()
    (project / "own_served_module.py").write_text(MODULE)
    (tmp_path / "weights/config.json").write_text("{}")
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", list(sys.path))
    try:
        mlflow.pyfunc.save_model(
            saved,
            python_model=str(MODEL_CODE),
            model_config=serving_config(8, 48, "text", ["own_served_module"]),
            artifacts={"model": str(tmp_path / "weights")},
            code_paths=[str(path) for path in code_paths(["own_served_module"])],
            pip_requirements=["mlflow"],
        )
    finally:
        sys.modules.pop("own_served_module", None)
    run = subprocess.run(
        [sys.executable, "-c", LOADED_ELSEWHERE, str(saved)], capture_output=True, text=True, cwd=elsewhere, check=False
    )
    assert run.returncode == 0, run.stderr[-2_000:]
    assert Path(run.stdout.strip()).is_relative_to(saved)
