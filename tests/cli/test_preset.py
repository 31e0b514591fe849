import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from callwright.cli.preset import apply_preset
from callwright.errors import ParamsError
from callwright.params import Params
from tests.working_tree import ROOT

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
    return Path(shutil.copy(ROOT / "params.yaml", tmp_path))


def test_all_presets_set_the_same_keys_so_that_one_replaces_another():
    overlays = [keys(YAML(typ="safe").load((PRESETS / f"{name}.yaml").read_text())) for name in NAMES]
    assert all(overlay == overlays[0] for overlay in overlays)


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_valid_keeps_comments_and_embedded_takes_it_back(params: Path, name: str):
    original = Params.load(params)
    text = params.read_text()
    apply_preset(name, params, PRESETS)
    Params.load(params)
    assert params.read_text().count("#") == text.count("#")
    apply_preset("embedded", params, PRESETS)
    assert Params.load(params) == original


def test_what_the_user_changed_elsewhere_stays(params: Path):
    params.write_text(params.read_text().replace("seed: 7", "seed: 11"))
    apply_preset("gsm8k", params, PRESETS)
    assert Params.load(params).seed == 11


def test_a_preset_takes_back_fields_of_a_request_that_another_teacher_needed(params: Path):
    params.write_text(
        params.read_text().replace("request: {}", "request: {max_tokens: null, max_completion_tokens: 9}")
    )
    assert Params.load(params).teacher.request == {"max_tokens": None, "max_completion_tokens": 9}
    apply_preset("gsm8k", params, PRESETS)
    assert Params.load(params).teacher.request == {}


def test_an_unknown_preset_names_the_nearest(params: Path):
    with pytest.raises(ParamsError, match="did you mean gsm8k"):
        apply_preset("gsm8", params, PRESETS)


def test_a_preset_that_would_break_params_changes_nothing(params: Path, tmp_path: Path):
    (tmp_path / "bad.yaml").write_text("train: {beta: strong}\n")
    text = params.read_text()
    with pytest.raises(ParamsError, match=r"train\.beta"):
        apply_preset("bad", params, tmp_path)
    assert params.read_text() == text
