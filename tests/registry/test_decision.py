"""`callwright promote --require` succeeds only if the current student was promoted and is registered."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from callwright import paths
from callwright.cli.app import app
from callwright.errors import CallwrightError, DataError, GateError
from callwright.registry.version import CONTENT_TAG
from callwright.storage.files import folder_hash, write_json
from callwright.tracking.runs import connect


@pytest.fixture(autouse=True)
def promoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A student, and the decision that promoted it."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.delenv(name, raising=False)
    paths.STUDENT.mkdir(parents=True)
    (paths.STUDENT / "model.safetensors").write_bytes(b"weights")
    decision = {"decision": "promoted", "reasons": [], "model": "m", "version": "1", "aliases": ["champion"]}
    decision |= {"content": folder_hash(paths.STUDENT)}
    write_json(paths.REGISTRY, decision)
    return decision


def require() -> str:
    done = CliRunner().invoke(app, ["promote", "--require"])
    if isinstance(done.exception, CallwrightError):
        raise done.exception
    assert done.exit_code == 0
    return done.stdout


@pytest.mark.slow
def test_a_promoted_student_in_the_registry_is_accepted(promoted, tmp_path):
    with pytest.raises(GateError, match=r"^unregistered: .* no version of m in MLflow .* holds this student: run dvc"):
        require()
    client = connect()
    client.create_registered_model("m")
    client.create_model_version("m", str(tmp_path), tags={CONTENT_TAG: "another student"})
    with pytest.raises(GateError, match=r"^unregistered"):
        require()
    client.create_model_version("m", str(tmp_path), tags={CONTENT_TAG: promoted["content"]})
    assert '"version": "1"' in require()


def test_a_refusal_lists_every_reason(promoted):
    write_json(paths.REGISTRY, {**promoted, "decision": "refused", "reasons": ["too weak", "too slow"]})
    with pytest.raises(GateError, match=r"^refused: too weak; too slow$"):
        require()


def test_a_student_that_changed_after_the_decision_is_stale():
    (paths.STUDENT / "model.safetensors").write_bytes(b"trained again")
    with pytest.raises(GateError, match=r"^stale: models/registry\.json was made for another student"):
        require()


@pytest.mark.parametrize("content", [None, ""])
def test_a_decision_about_an_unknown_student_is_stale(promoted, content):
    write_json(paths.REGISTRY, {**promoted, "content": content})
    with pytest.raises(GateError, match=r"^stale"):
        require()


@pytest.mark.parametrize("decision", [None, "Promoted", True])
def test_a_decision_that_is_neither_promoted_nor_refused_is_an_error(promoted, decision):
    write_json(paths.REGISTRY, {**promoted, "decision": decision})
    with pytest.raises(DataError, match=r"^models/registry\.json: decision .*: run dvc repro"):
        require()


def test_a_decision_of_an_earlier_version_without_content_is_stale(promoted):
    del promoted["content"]
    write_json(paths.REGISTRY, promoted)
    with pytest.raises(GateError, match=r"^stale"):
        require()


def test_a_missing_student_is_an_error():
    (paths.STUDENT / "model.safetensors").unlink()
    paths.STUDENT.rmdir()
    with pytest.raises(DataError, match=r"^models/student is missing.*dvc pull"):
        require()


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_broken_decision_gives_a_one_line_error(text):
    paths.REGISTRY.write_text(text)
    with pytest.raises(DataError, match=r"^models/registry.json is no"):
        require()


def test_a_missing_decision_gives_a_one_line_error():
    paths.REGISTRY.unlink()
    with pytest.raises(DataError, match=r"^models/registry.json is missing: run the stage"):
        require()
