"""`callwright promote --require`: only a promotion of the student that lies there now lets a CI go on."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from callwright import paths
from callwright.cli.app import app
from callwright.errors import CallwrightError, DataError, GateError
from callwright.registry.champion import CONTENT_TAG
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
def test_the_student_that_was_promoted_is_let_through_where_the_registry_holds_it(promoted, tmp_path):
    with pytest.raises(GateError, match=r"^unregistered: .* no version of m in MLflow .* holds this student: run dvc"):
        require()
    client = connect()
    client.create_registered_model("m")
    client.create_model_version("m", str(tmp_path), tags={CONTENT_TAG: "another student"})
    with pytest.raises(GateError, match=r"^unregistered"):
        require()
    client.create_model_version("m", str(tmp_path), tags={CONTENT_TAG: promoted["content"]})
    assert '"version": "1"' in require()


def test_a_refusal_says_every_reason(promoted):
    write_json(paths.REGISTRY, {**promoted, "decision": "refused", "reasons": ["too weak", "too slow"]})
    with pytest.raises(GateError, match=r"^refused: too weak; too slow$"):
        require()


def test_a_student_that_changed_since_is_stale():
    (paths.STUDENT / "model.safetensors").write_bytes(b"trained again")
    with pytest.raises(GateError, match=r"^stale: models/registry\.json was decided of another student"):
        require()


@pytest.mark.parametrize("known", [{"content": None}, {"content": ""}, {"decision": None}, {"decision": "Promoted"}])
def test_a_decision_that_does_not_say_enough_is_none(promoted, known):
    write_json(paths.REGISTRY, {**promoted, **known})
    with pytest.raises(GateError):
        require()


def test_a_decision_of_an_earlier_version_without_content_is_stale(promoted):
    del promoted["content"]
    write_json(paths.REGISTRY, promoted)
    with pytest.raises(GateError, match=r"^stale"):
        require()


def test_without_the_student_nobody_can_say():
    (paths.STUDENT / "model.safetensors").unlink()
    paths.STUDENT.rmdir()
    with pytest.raises(DataError, match=r"^models/student is missing.*dvc pull"):
        require()


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_broken_decision_is_one_line(text):
    paths.REGISTRY.write_text(text)
    with pytest.raises(DataError, match=r"^models/registry.json is no"):
        require()


def test_a_missing_decision_is_one_line():
    paths.REGISTRY.unlink()
    with pytest.raises(DataError, match=r"^models/registry.json is missing: run the stage"):
        require()
