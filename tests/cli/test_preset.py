import re
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from callwright.cli.preset import apply_preset
from callwright.errors import ParamsError
from callwright.params import Params
from tests.working_tree import ROOT

SHIPPED = ROOT / "params.yaml"
PRESETS = ROOT / "conf/presets"
NAMES = sorted(path.stem for path in PRESETS.glob("*.yaml"))


def keys(values: dict, prefix: str = "") -> set[str]:
    return {
        name
        for key, value in values.items()
        for name in (keys(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}"})
    }


@pytest.fixture
def params(tmp_path: Path) -> Path:
    return Path(shutil.copy(SHIPPED, tmp_path))


def test_all_presets_set_the_same_keys_so_that_each_replaces_another():
    overlays = [keys(YAML(typ="safe").load((PRESETS / f"{name}.yaml").read_text())) for name in NAMES]
    assert all(overlay == overlays[0] for overlay in overlays)


def test_the_preset_embedded_is_the_shipped_file(params: Path):
    assert apply_preset("embedded", params, PRESETS) == []
    assert params.read_bytes() == SHIPPED.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_valid_and_embedded_restores_the_file_byte_for_byte(params: Path, name: str):
    apply_preset(name, params, PRESETS)
    Params.load(params)
    apply_preset("embedded", params, PRESETS)
    assert params.read_bytes() == SHIPPED.read_bytes()


def test_a_preset_changes_the_lines_of_its_values_only(params: Path):
    changed = apply_preset("gsm8k", params, PRESETS)
    assert "promote.min_accuracy" in changed
    before, after = SHIPPED.read_text().splitlines(), params.read_text().splitlines()
    assert sum(old != new for old, new in zip(before, after, strict=True)) == len(changed)
    assert "  source: gsm8k # synthetic | gsm8k | folio | proofwriter | jsonl" in after


def test_values_and_layout_that_the_user_changed_stay(params: Path):
    edited_text = params.read_text().replace("seed: 7", "# mine\nseed:   11  # eleven\n")
    edited_text = edited_text.replace("model: oracle", "model: 'oracle'").replace(
        "max_grad_norm: 1.0", "max_grad_norm:    2"
    )
    params.write_text(edited_text)
    apply_preset("gsm8k", params, PRESETS)
    assert Params.load(params).seed == 11
    apply_preset("embedded", params, PRESETS)
    assert params.read_text() == edited_text


def test_a_preset_removes_request_fields_that_another_teacher_needed(params: Path):
    params.write_text(
        params.read_text().replace("request: {}", "request: {max_tokens: null, max_completion_tokens: 9}", 1)
    )
    assert Params.load(params).teacher.request == {"max_tokens": None, "max_completion_tokens": 9}
    apply_preset("gsm8k", params, PRESETS)
    assert Params.load(params).teacher.request == {}


def test_an_unknown_preset_gives_the_nearest_name(params: Path):
    with pytest.raises(ParamsError, match="did you mean gsm8k"):
        apply_preset("gsm8", params, PRESETS)


def test_a_preset_that_makes_params_invalid_changes_nothing(params: Path, tmp_path: Path):
    for overlay, error in (
        ("train: {beta: strong}", r": train\.beta"),
        ("problems: {source: gsm}", r": problems\.source"),
        ("problems: {publik: {train: 1}}", ": .*did you mean public"),
    ):
        (tmp_path / "bad.yaml").write_text(f"{overlay}\n")
        with pytest.raises(ParamsError, match=f"^{re.escape(str(params))}{error}"):
            apply_preset("bad", params, tmp_path)
    assert params.read_bytes() == SHIPPED.read_bytes()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty or not a mapping of sections"),
        (b"train: [", "is not YAML: "),
        (b"seed: \xff", "is not YAML: not UTF-8 text at byte 7"),
    ],
)
def test_a_broken_file_gives_a_one_line_error_that_names_it(params: Path, tmp_path: Path, content: bytes, message: str):
    broken_preset = tmp_path / "broken.yaml"
    broken_preset.write_bytes(content)
    broken_params = tmp_path / "own.yaml"
    broken_params.write_bytes(content)
    for file, name, presets in ((broken_preset, "broken", tmp_path), (broken_params, "gsm8k", PRESETS)):
        with pytest.raises(ParamsError) as caught:
            apply_preset(name, params if file == broken_preset else broken_params, presets)
        assert str(caught.value).startswith(f"{file} {message}")
        assert "\n" not in str(caught.value)
    assert params.read_bytes() == SHIPPED.read_bytes()


def test_missing_params_say_where_to_run(tmp_path: Path):
    with pytest.raises(ParamsError, match="is missing: run this from the project's folder"):
        apply_preset("gsm8k", tmp_path / "params.yaml", PRESETS)
