"""Turning a built student into the files that ship."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from callwright.errors import DataError
from callwright.standins.embedded import ship
from callwright.standins.embedded.seen_questions import SEEN_QUESTIONS_FILE, question_hash, write_seen_questions
from callwright.standins.embedded.ship import ship_student
from callwright.standins.embedded.shipped_files import SHIPPED
from callwright.standins.embedded.shipped_student import MODEL_FILES, copy_shipped_student
from callwright.storage.files import read_json

WEIGHTS = {"a": np.array([[1.0, 1 / 3]], np.float32), "b": np.array([-2.0], np.float32)}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder as the builder writes it, with three weights in float32."""
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "built"))
    (folder / "README.md").unlink()
    save_file(WEIGHTS, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen3", "dtype": "float16"}))
    (folder / "recipe.json").write_text(json.dumps({"seed": 11, "steps": 5, "accuracy": {"arithmetic": 0.625}}))
    write_seen_questions(folder / SEEN_QUESTIONS_FILE, map(question_hash, ("What is 2 plus 3?", "How many?")))
    return folder


def test_weights_are_rounded_to_float16_and_the_recipe_describes_every_file(built: Path, tmp_path: Path):
    shipped = tmp_path / "package/shipped"
    shipped.mkdir(parents=True)
    (shipped / "old.bin").write_text("of the student before")
    recipe = ship_student(built, shipped)
    weights = load_file(shipped / "model.safetensors")
    assert {name: weight.tolist() for name, weight in weights.items()} == {
        "a": [[1.0, float(np.float16(1 / 3))]],
        "b": [-2.0],
    }
    assert {weight.dtype for weight in weights.values()} == {np.dtype(np.float16)}
    assert read_json(shipped / "config.json") == {"model_type": "qwen3", "dtype": "float32"}
    assert recipe == read_json(shipped / "recipe.json")
    assert {name: recipe[name] for name in ("source", "seed", "steps", "parameters", "questions")} == {
        **{"source": "embedded", "seed": 11, "steps": 5},
        **{"parameters": 3, "questions": 2},
    }
    assert {path.name for path in shipped.iterdir()} == {*MODEL_FILES, SEEN_QUESTIONS_FILE, "recipe.json"}
    assert [path.name for path in shipped.parent.iterdir()] == ["shipped"]
    card = (shipped / "README.md").read_text()
    assert "3 weights" in card
    assert "| arithmetic | 62.5 % |" in card
    assert copy_shipped_student(tmp_path / "base", shipped) == recipe


@pytest.mark.parametrize("name", ["tokenizer.json", "recipe.json", SEEN_QUESTIONS_FILE])
def test_a_missing_file_leaves_the_shipped_student_as_it_is(built: Path, tmp_path: Path, name: str):
    shipped = Path(shutil.copytree(SHIPPED, tmp_path / "package/shipped"))
    (built / name).unlink()
    with pytest.raises(DataError, match=rf"{name} is missing: name the folder that the builder wrote$"):
        ship_student(built, shipped)
    copy_shipped_student(tmp_path / "base", shipped)


def test_a_student_that_is_too_large_is_refused(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ship, "MAX_WEIGHT_BYTES", 100)
    (tmp_path / "package").mkdir()
    with pytest.raises(DataError, match="bytes in float16, more than 100: build a smaller one"):
        ship_student(built, tmp_path / "package/shipped")


def test_a_weight_that_float16_cannot_hold_is_refused(built: Path, tmp_path: Path):
    save_file({**WEIGHTS, "big": np.array([70_000.0], np.float32)}, built / "model.safetensors")  # the limit is 65,504
    (tmp_path / "package").mkdir()
    with pytest.raises(DataError, match="big has a value that is not finite in float16"):
        ship_student(built, tmp_path / "package/shipped")
    assert list((tmp_path / "package").iterdir()) == []
