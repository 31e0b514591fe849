"""The promote stage reads all its inputs before it changes the registry."""

from pathlib import Path

import pytest

from callwright.errors import DataError
from callwright.pipeline.promote import run
from callwright.pipeline.stage import Clock
from callwright.reports.curves import load_curves
from tests.registry.projects import make_project


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("reports/rollout.json", None, "reports/rollout.json is missing: run the stage that writes it"),
        ("reports/train.json", '{"pairs": 9', "reports/train.json is not JSON"),
        ("reports/curves.csv", "step,loss\n1,0.7\n2,lo", "reports/curves.csv:3 is not a row of numbers: run dvc repro"),
        ("data/evaluation/student.jsonl", "{", "data/evaluation/student.jsonl:1: "),
    ],
)
def test_nothing_is_promoted_and_no_earlier_decision_stays_if_an_input_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, content: str | None, message: str
):
    monkeypatch.chdir(make_project(tmp_path / "project", b"weights"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    Path("models/registry.json").write_text("an earlier decision")
    if content is None:
        Path(file).unlink()
    else:
        Path(file).write_text(content)
    with pytest.raises(DataError, match=f"^{message}"):
        run(Clock())
    assert not Path("models/registry.json").exists()
    assert not (tmp_path / "mlflow.db").exists()


def test_an_empty_cell_of_the_curves_is_a_metric_that_was_not_logged(tmp_path: Path):
    (tmp_path / "curves.csv").write_text("step,loss,eval_loss\n1,0.7,\n2,,0.5\n")
    assert load_curves(tmp_path / "curves.csv") == [{"step": 1.0, "loss": 0.7}, {"step": 2.0, "eval_loss": 0.5}]


@pytest.mark.parametrize(
    "content", ["", "step,loss\n", "loss\n0.7\n", "step,loss\nnan,1\n", "step\n1,2\n", "\xff", "step\n\r1,"]
)
def test_curves_that_cannot_be_drawn_are_an_error_of_one_line(tmp_path: Path, content: str):
    path = tmp_path / "curves.csv"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match=r"^\S*curves\.csv.*: run dvc repro, which writes the file again$"):
        load_curves(path)
